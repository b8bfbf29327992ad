/// A weak reference that can be copied, kept in tables and looked at from any thread.
///
/// Looking holds the object for a moment. Where its last other reference goes in that moment, its `deinit` runs on the
/// looking thread: so nobody looks while holding a lock that a `deinit` may want.
@safe
package final class WeakReference<Object: AnyObject>: @unchecked Sendable {
    // SAFETY: written by init alone; the runtime lets any number of threads load a weak reference at once.
    private weak var target: Object?

    package init(_ object: Object) { target = object }

    /// The object; `nil` once it is gone.
    package var object: Object? { target }
}

// Results in a table of SQLite's: written a thousand a transaction, read in order.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

struct results {
    sqlite3 *database;
    char path[4096];
};

static void fail(sqlite3 *database) {
    fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static void run(sqlite3 *database, const char *text) {
    if (sqlite3_exec(database, text, NULL, NULL, NULL) != SQLITE_OK) fail(database);
}

// Opens a new database. journal: NULL tells SQLite nothing at all; it waits for the disk at each transaction then.
void *results_open(const char *path, const char *journal, int page_bytes, long cache_bytes) {
    struct results *results = calloc(1, sizeof *results);
    snprintf(results->path, sizeof results->path, "%s", path);
    if (sqlite3_open(path, &results->database) != SQLITE_OK) fail(results->database);
    if (journal) {
        // Nothing has to survive here, so it need not wait for the disk, nor share its file.
        char text[256];
        snprintf(
            text, sizeof text,
            "PRAGMA page_size = %d; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; "
            "PRAGMA cache_size = -%ld; PRAGMA journal_mode = %s",
            page_bytes, cache_bytes / 1024, journal);
        run(results->database, text);
    }
    run(results->database, "CREATE TABLE results (number INTEGER PRIMARY KEY, bytes BLOB)");
    return results;
}

// Writes count results: the values, which lie one behind the other, again and again.
void results_write(void *handle, long count, const char *values, long value_count, long value_bytes) {
    struct results *results = handle;
    sqlite3_stmt *statement;
    const char *insertion = "INSERT INTO results (number, bytes) VALUES (?, ?)";
    if (sqlite3_prepare_v2(results->database, insertion, -1, &statement, NULL) != SQLITE_OK) fail(results->database);
    for (long number = 0; number < count; number++) {
        if (number % 1000 == 0) run(results->database, "BEGIN");
        sqlite3_bind_int64(statement, 1, number);
        sqlite3_bind_blob(statement, 2, values + number % value_count * value_bytes, (int)value_bytes, SQLITE_STATIC);
        if (sqlite3_step(statement) != SQLITE_DONE) fail(results->database);
        sqlite3_reset(statement);
        if (number % 1000 == 999 || number == count - 1) run(results->database, "COMMIT");
    }
    sqlite3_finalize(statement);
}

// Gives all results in order.
void results_read(void *handle, void *context, void (*give)(void *context, const void *bytes, long count)) {
    struct results *results = handle;
    sqlite3_stmt *statement;
    const char *selection = "SELECT bytes FROM results ORDER BY number";
    if (sqlite3_prepare_v2(results->database, selection, -1, &statement, NULL) != SQLITE_OK) fail(results->database);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        // The bytes first: asking for their number may move them.
        const void *bytes = sqlite3_column_blob(statement, 0);
        give(context, bytes, sqlite3_column_bytes(statement, 0));
    }
    sqlite3_finalize(statement);
}

void results_close(void *handle) {
    struct results *results = handle;
    sqlite3_close(results->database);
    const char *suffixes[] = {"", "-journal", "-wal", "-shm"};
    for (int index = 0; index < 4; index++) {
        char path[4200];
        snprintf(path, sizeof path, "%s%s", results->path, suffixes[index]);
        unlink(path);
    }
    free(results);
}

#include "CCounting.h"

// Not empty to the compiler, which would leave them out.
void countingBegins(void) { __asm__ volatile("" ::: "memory"); }
void countingEnds(void) { __asm__ volatile("nop" ::: "memory"); }

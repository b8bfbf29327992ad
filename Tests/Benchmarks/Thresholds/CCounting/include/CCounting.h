// Where counting begins and ends, for callgrind to see; and the tests' counter of allocations.
#ifndef COUNTING_H
#define COUNTING_H

#include "CAllocationCounter.h"

void countingBegins(void);
void countingEnds(void);

#endif

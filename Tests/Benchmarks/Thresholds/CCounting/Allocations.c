#include "../../../CAllocationCounter/AllocationCounter.c"

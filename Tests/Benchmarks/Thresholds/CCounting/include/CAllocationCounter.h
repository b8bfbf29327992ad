// The tests' counter: a package's targets lie inside of it, but may look outside.
#include "../../../../CAllocationCounter/include/CAllocationCounter.h"

// What every kernel's source starts with; precompiled, as reading it takes longer than compiling a kernel.
#include "device.h"
#include <cupy/atomics.cuh>
#include <cupy/carray.cuh>
#include <cupy/complex.cuh>
#include <cupy/math_constants.h>

"""CuPy's own kernels and hand-written ones, on the CPU, against NumPy; products through the stand-in cuBLAS."""

from __future__ import annotations

import cupy
import ml_dtypes
import numpy as np
import pytest

pytestmark = pytest.mark.cuda

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", BFLOAT16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_arithmetic_and_strided_copies(dtype: np.dtype) -> None:
    host = np.arange(60).reshape(6, 10).astype(dtype)
    array = cupy.asarray(host)
    assert (array.get() == host).all()
    assert (cupy.ascontiguousarray(array[1::2, ::-3].T).get() == host[1::2, ::-3].T).all()
    assert ((array + array).get() == host + host).all()


@pytest.mark.parametrize("dtype", ["f2", BFLOAT16, "i4", "c8"], ids=str)
def test_astype(dtype: np.dtype) -> None:
    host = np.arange(-20, 20, dtype="f4") / 4
    assert (cupy.asarray(host).astype(dtype).get() == host.astype(dtype)).all()


def test_reductions() -> None:
    host = np.arange(24, dtype="f8").reshape(2, 3, 4)
    array = cupy.asarray(host)
    assert (array.sum(axis=1).get() == host.sum(axis=1)).all()
    assert float(array.mean()) == host.mean()
    assert int(array.argmax()) == 23
    assert bool((array >= 0).all())


def test_indexing() -> None:
    host = np.arange(50)
    array = cupy.asarray(host)
    assert (array[cupy.asarray([3, 1, 2])].get() == [3, 1, 2]).all()
    assert (array[array % 7 == 0].get() == host[host % 7 == 0]).all()
    array[10:20] = 0
    assert int(array.sum()) == host.sum() - host[10:20].sum()


def test_many_blocks() -> None:
    assert int(cupy.arange(300_000, dtype="i8").sum()) == 300_000 * 299_999 // 2


SOURCE = r"""
extern "C" __global__ void reverse(const int* in, int* out, int n) {
  __shared__ int held[256];
  int i = threadIdx.x;
  if (i < n) held[i] = in[i];
  __syncthreads();
  if (i < n) out[i] = held[n - 1 - i];
}
extern "C" __global__ void neighbours(int* out) {
  extern __shared__ int held[];
  held[threadIdx.x] = threadIdx.x;
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = __shfl_xor_sync(~0u, held[threadIdx.x], 1);
}
extern "C" __global__ void count(unsigned* total) { atomicAdd(total, 1u); }
"""


def test_kernels_with_barriers_shared_memory_and_atomics() -> None:
    module = cupy.RawModule(code=SOURCE)
    given, taken = cupy.asarray(np.arange(200, dtype="i4")), cupy.empty(200, "i4")
    module.get_function("reverse")((1,), (256,), (given, taken, np.int32(200)))
    assert (taken.get() == np.arange(200)[::-1]).all()
    taken = cupy.empty(128, "i4")
    module.get_function("neighbours")((2,), (64,), (taken,), shared_mem=256)
    assert (taken.get() == np.tile(np.arange(64) ^ 1, 2)).all()
    total = cupy.zeros(1, "u4")
    module.get_function("count")((10,), (32,), (total,))
    assert int(total[0]) == 320


def test_name_expressions() -> None:
    code = "template <class T, int N> __global__ void add(T* x) { x[threadIdx.x] += T(N); }"
    module = cupy.RawModule(code=code, options=("-std=c++17",), name_expressions=["add<float, 3>", "add<int, 4>"])
    for expression, dtype, value in (("add<float, 3>", "f4", 3), ("add<int, 4>", "i4", 4)):
        array = cupy.zeros(8, dtype)
        module.get_function(expression)((1,), (8,), (array,))
        assert set(array.get().tolist()) == {value}


def test_a_kernel_that_does_not_compile_says_why() -> None:
    with pytest.raises(cupy.cuda.compiler.CompileException, match="no_such_thing"):
        cupy.RawKernel('extern "C" __global__ void broken() { no_such_thing(); }', "broken")((1,), (1,), ())


def test_launches_too_large_are_refused() -> None:
    kernel = cupy.RawKernel('extern "C" __global__ void idle() {}', "idle")
    with pytest.raises(cupy.cuda.driver.CUDADriverError, match="InvalidValue"):
        kernel((1,), (1025,), ())


def test_dlpack_both_ways() -> None:
    array = cupy.asarray(np.arange(10))
    assert cupy.from_dlpack(array).data.ptr == array.data.ptr
    assert array.__dlpack_device__() == (2, 0)
    assert (np.from_dlpack(array, device="cpu", copy=True) == np.arange(10)).all()


@pytest.mark.parametrize("dtype", ["f2", BFLOAT16, "f4", "f8", "c8", "c16"], ids=str)
def test_products(dtype: np.dtype) -> None:
    random = np.random.default_rng(0)
    wide = "c16" if np.dtype(dtype).kind == "c" else "f8"
    a, b = (random.normal(size=shape).astype(wide).astype(dtype) for shape in ((5, 7), (7, 3)))
    with cupy.cuda.Stream(non_blocking=True):
        product = (cupy.asarray(a) @ cupy.asarray(b)).get()
    tolerance = {2: 2e-2, 4: 1e-5, 8: 1e-5 if dtype == "c8" else 1e-12, 16: 1e-12}[np.dtype(dtype).itemsize]
    np.testing.assert_allclose(product.astype(wide), a.astype(wide) @ b.astype(wide), rtol=tolerance, atol=tolerance)


def test_products_of_transposed_batched_and_single_vectors() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(4, 2, 3, 5)), random.normal(size=(4, 2, 5, 6))
    there_a, there_b = cupy.asarray(a), cupy.asarray(b)
    for got, expected in (
        (there_a @ there_b, a @ b),
        (there_a[0, 0].T @ there_a[0, 0], a[0, 0].T @ a[0, 0]),
        (there_a[0, 0] @ there_a[0, 0].T, a[0, 0] @ a[0, 0].T),
        (there_a[0, 0] @ there_b[0, 0, :, 0], a[0, 0] @ b[0, 0, :, 0]),
        (there_a[0, 0, 0] @ there_a[0, 0, 1], a[0, 0, 0] @ a[0, 0, 1]),
        (cupy.tensordot(there_a, there_b, axes=([3], [2])), np.tensordot(a, b, axes=([3], [2]))),
        (cupy.einsum("ij,jk->ik", there_a[0, 0], there_b[0, 0]), a[0, 0] @ b[0, 0]),
    ):
        np.testing.assert_allclose(got.get(), expected, rtol=1e-12)

// The part of the driver API that CuPy and we use: contexts, modules, functions, launches. libcuda.so.1 is another name of the runtime's library.
#include <cuda.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "api.h"
#include "kernel.h"
#include "streams.h"

using namespace cudasim;

namespace {

constexpr int kMaxThreadsPerBlock = 1024;
constexpr unsigned kParameterAlignment = 16;

CUmodule to_handle(void* library) { return reinterpret_cast<CUmodule>(library); }
void* to_library(CUmodule module) { return reinterpret_cast<void*>(module); }
const Kernel& to_kernel(CUfunction function) { return *reinterpret_cast<const Kernel*>(function); }

CUcontext to_context(Device* device) { return reinterpret_cast<CUcontext>(device); }

// body: () -> cudaError_t. For calls that need no context.
template <class Body>
CUresult enter_unbound(const char* name, Body body) {
  return static_cast<CUresult>(enter(name, body));
}

template <class Body>
CUresult enter_driver(const char* name, Body body) {
  return static_cast<CUresult>(enter_current(name, [&](Device& current) { return static_cast<cudaError_t>(body(current)); }));
}

// dlopen reads files only. The name is gone as soon as the library is loaded.
void* load(const char* object, std::uint64_t size) {
  char path[] = "/tmp/cudasim-module-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) return nullptr;
  bool is_written = true;
  while (size > 0 && is_written) {
    const ssize_t written = write(file, object, size);
    is_written = written > 0;
    object += written;
    size -= written;
  }
  close(file);
  void* library = is_written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (!library) say("a kernel's library does not load: %s", is_written ? dlerror() : std::strerror(errno));
  unlink(path);
  return library;
}

// The arguments of a launch, copied: the caller's may be gone when the kernel runs.
class Arguments {
 public:
  Arguments(const Kernel& kernel, void** parameters) {
    std::size_t total = 0;
    for (unsigned i = 0; i < kernel.parameter_count; i++) total += padded(kernel.parameter_bytes[i]);
    bytes_.resize(total / kParameterAlignment);
    char* next = reinterpret_cast<char*>(bytes_.data());
    for (unsigned i = 0; i < kernel.parameter_count; i++) {
      std::memcpy(next, parameters[i], kernel.parameter_bytes[i]);
      pointers_.push_back(next);
      next += padded(kernel.parameter_bytes[i]);
    }
  }

  void** pointers() { return pointers_.data(); }

 private:
  static std::size_t padded(unsigned size) { return (size + kParameterAlignment - 1) / kParameterAlignment * kParameterAlignment; }

  struct alignas(kParameterAlignment) Chunk {
    char bytes[kParameterAlignment];
  };
  std::vector<Chunk> bytes_;
  std::vector<void*> pointers_;
};

}  // namespace

CUDASIM_API CUresult cuGetErrorName(CUresult error, const char** name) {
  *name = cudaGetErrorName(static_cast<cudaError_t>(error));
  return CUDA_SUCCESS;
}

CUDASIM_API CUresult cuGetErrorString(CUresult error, const char** text) {
  *text = cudaGetErrorString(static_cast<cudaError_t>(error));
  return CUDA_SUCCESS;
}

// Primary contexts are the only ones.
CUDASIM_API CUresult cuCtxGetCurrent(CUcontext* context) {
  return enter_unbound(__func__, [&] {
    *context = to_context(bound_device());
    return cudaSuccess;
  });
}

CUDASIM_API CUresult cuCtxSetCurrent(CUcontext context) {
  return enter_unbound(__func__, [&] {
    Device* bound = nullptr;
    for (int ordinal = 0; ordinal < device_count(); ordinal++) {
      if (context == to_context(&device(ordinal))) bound = &device(ordinal);
    }
    if (context && !(bound && bound->has_context)) return cudaErrorDeviceUninitialized;
    bound_device() = bound;
    return cudaSuccess;
  });
}

CUDASIM_API CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned* flags, int* is_active) {
  return static_cast<CUresult>(enter_device(__func__, ordinal, [&](Device& asked) {
    *flags = 0;
    *is_active = asked.has_context;
    return cudaSuccess;
  }));
}

CUDASIM_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return enter_driver(__func__, [&](Device&) {
    const char* bytes = static_cast<const char*>(image);
    if (std::memcmp(bytes, kImageMagic, 8) != 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
    std::uint64_t size;
    std::memcpy(&size, bytes + 8, sizeof size);
    *module = to_handle(load(bytes + 16, size));
    return *module ? CUDA_SUCCESS : CUDA_ERROR_INVALID_IMAGE;
  });
}

CUDASIM_API CUresult cuModuleUnload(CUmodule module) {
  return enter_driver(__func__, [&](Device&) {
    for (int ordinal = 0; ordinal < device_count(); ordinal++) wait_for_device(device(ordinal));  // its kernels may still run
    dlclose(to_library(module));
    return CUDA_SUCCESS;
  });
}

CUDASIM_API CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  return enter_driver(__func__, [&](Device&) {
    void* kernel = dlsym(to_library(module), (std::string("cudasim_kernel_") + name).c_str());
    *function = reinterpret_cast<CUfunction>(kernel);
    return kernel ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
  });
}

CUDASIM_API CUresult cuFuncGetAttribute(int* value, CUfunction_attribute which, CUfunction) {
  *value = which == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? kMaxThreadsPerBlock : 0;
  return CUDA_SUCCESS;
}

CUDASIM_API CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int) { return CUDA_SUCCESS; }

CUDASIM_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction, int, size_t) {
  *blocks = 4;
  return CUDA_SUCCESS;
}

CUDASIM_API CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction, CUoccupancyB2DSize, size_t, int) {
  *grid = 8;
  *block = 128;
  return CUDA_SUCCESS;
}

CUDASIM_API CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                                    unsigned block_z, unsigned shared_bytes, CUstream handle, void** parameters, void** extra) {
  return enter_driver(__func__, [&](Device& current) {
    StreamPtr stream = find_stream(handle, current);
    if (!stream || &stream->device != &current) return CUDA_ERROR_INVALID_HANDLE;
    if (extra || !function) return CUDA_ERROR_INVALID_VALUE;
    const std::uint64_t threads = std::uint64_t{block_x} * block_y * block_z;
    if (threads == 0 || threads > kMaxThreadsPerBlock || grid_x == 0 || grid_y == 0 || grid_z == 0) return CUDA_ERROR_INVALID_VALUE;
    const Launch launch = {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes};
    const Kernel& kernel = to_kernel(function);
    auto arguments = std::make_shared<Arguments>(kernel, parameters);
    issue(stream, "cuLaunchKernel", [launch, &kernel, arguments] { kernel.run(launch, arguments->pointers()); });
    return CUDA_SUCCESS;
  });
}

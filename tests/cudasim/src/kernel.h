// What a compiled kernel looks like: nvrtc.cpp makes images, device.h fills in the kernels, driver.cpp loads and launches them.
//
// image :=
//     magic: char[8]             "CUDASIM1"
//     size: uint64               of what follows, little-endian
//     object: char[size]         an ELF shared object that exports, per kernel `name`,
//                                const cudasim::Kernel cudasim_kernel_<name>
#pragma once

namespace cudasim {

constexpr char kImageMagic[] = "CUDASIM1";

struct Launch {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
};

struct Kernel {
  void (*run)(const Launch& launch, void** parameters);
  unsigned parameter_count;
  const unsigned* parameter_bytes;
};

}  // namespace cudasim

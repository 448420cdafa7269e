#include "settings.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace cudasim {
namespace {

const char* variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

long number(const char* name, const char* otherwise) { return std::strtol(variable(name, otherwise), nullptr, 0); }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

// The physical device that one word of CUDA_VISIBLE_DEVICES names, or -1: an ordinal, or "GPU-" and a UUID, of which we give
// all devices the same 15 first bytes, so that only the whole of it tells them apart.
int physical_device(const std::string& word, int count) {
  char* end = nullptr;
  long ordinal = -1;
  const std::size_t uuid_characters = std::strlen("GPU-00000000-0000-0000-0000-000000000000");
  if (word.rfind("GPU-", 0) == 0 && word.size() == uuid_characters) {
    ordinal = std::strtol(word.c_str() + uuid_characters - 2, &end, 16);
  } else {
    ordinal = std::strtol(word.c_str(), &end, 10);
  }
  return end != word.c_str() && *end == '\0' && ordinal >= 0 && ordinal < count ? static_cast<int>(ordinal) : -1;
}

// As the driver reads it: everything from the first word that names no device is ignored, a device named twice hides all.
std::vector<int> visible_devices(int count) {
  std::vector<int> devices;
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (!list) {
    for (int i = 0; i < count; i++) devices.push_back(i);
    return devices;
  }
  for (const std::string& word : split(list)) {
    int device = physical_device(word, count);
    if (device < 0) break;
    for (int earlier : devices) {
      if (earlier == device) return {};
    }
    devices.push_back(device);
  }
  return devices;
}

}  // namespace

Settings::Settings()
    : lazy_ms(number("CUDASIM_LAZY_MS", "0")),
      delay_us(number("CUDASIM_DELAY_US", "0")),
      seed(number("CUDASIM_SEED", "1")),
      poison(number("CUDASIM_POISON", "1")),
      peer(number("CUDASIM_PEER", "1")),
      log(number("CUDASIM_LOG", "0")) {
  std::vector<std::string> memory_mb = split(variable("CUDASIM_MEM_MB", "1024"));
  for (int physical : visible_devices(static_cast<int>(number("CUDASIM_DEVICES", "2")))) {
    const std::string& mb = static_cast<std::size_t>(physical) < memory_mb.size() ? memory_mb[physical] : memory_mb.back();
    visible.push_back({physical, std::strtoul(mb.c_str(), nullptr, 0) << 20});
  }
}

// Never destroyed: worker threads may still run while the process exits.
Settings& settings() {
  static Settings& instance = *new Settings;
  return instance;
}

std::atomic<long>* find_setting(const std::string& name) {
  Settings& s = settings();
  const struct {
    const char* name;
    std::atomic<long>* value;
  } changeable[] = {{"LAZY_MS", &s.lazy_ms}, {"DELAY_US", &s.delay_us}, {"SEED", &s.seed}, {"POISON", &s.poison}, {"PEER", &s.peer}, {"LOG", &s.log}};
  for (const auto& setting : changeable) {
    if (name == setting.name) return setting.value;
  }
  return nullptr;
}

void say(const char* format, ...) {
  char text[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "[cudasim, emulated] %s\n", text);
}

}  // namespace cudasim

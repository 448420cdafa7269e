// libnvrtc: compiles kernels for the CPU with g++. What it returns as a cubin is an image (kernel.h).
//
// The build says where the headers are and how to compile (CUDASIM_KERNEL_FLAGS, CUDASIM_CUDA_INCLUDE, CUDASIM_BUILD).
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kernel.h"

#define NVRTC_API extern "C" __attribute__((visibility("default")))

extern char** environ;

// NVRTC's own header is in another package than the rest; this much of it is used.
enum nvrtcResult {
  NVRTC_SUCCESS = 0,
  NVRTC_ERROR_COMPILATION = 6,
  NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID = 10,
  NVRTC_ERROR_INTERNAL_ERROR = 11,
};
typedef struct _nvrtcProgram* nvrtcProgram;

struct _nvrtcProgram {
  std::string source;
  std::string name;
  std::vector<std::pair<std::string, std::string>> headers;    // name, text
  std::vector<std::pair<std::string, std::string>> instances;  // name expression, the name its kernel is exported by
  std::string log;
  std::string image;
};

namespace {

// CuPy takes the comment into the keys of its cache, so that kernels of another build are not found there.
constexpr char kPtx[] = "// emulated, no PTX; build " CUDASIM_BUILD "\n";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// prelude.h and its precompiled form lie beside this library.
std::string library_folder() {
  Dl_info info;
  dladdr(reinterpret_cast<void*>(&read), &info);
  return std::filesystem::path(info.dli_fname).parent_path();
}

std::string replace_dynamic_shared(const std::string& source) {
  static const std::regex declaration(R"(extern\s+__shared__\s+(?:__align__\([^)]*\)\s+)?([\w:<> ]+?)\s+(\w+)\s*\[\s*\]\s*;)");
  return std::regex_replace(source, declaration, "$1* $2 = reinterpret_cast<$1*>(cudasim::dynamic_shared);");
}

// The names of the kernels with C linkage: those are exported whether or not a name expression asks for them.
std::set<std::string> c_kernels(const std::string& source) {
  static const std::regex single(R"(extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s+)?(\w+)\s*\()");
  static const std::regex in_braces(R"(__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s+)?(\w+)\s*\()");
  std::set<std::string> names;
  auto collect = [&names](std::string::const_iterator first, std::string::const_iterator last, const std::regex& pattern) {
    for (std::sregex_iterator found(first, last, pattern), end; found != end; ++found) names.insert((*found)[1]);
  };
  collect(source.begin(), source.end(), single);
  const std::size_t braces = source.find("extern \"C\" {");
  if (braces != source.npos) collect(source.begin() + braces, source.end(), in_braces);
  return names;
}

bool has_barriers(const std::string& source) {
  for (const char* word : {"__sync", "__shfl", "_REDUCE"}) {
    if (source.find(word) != source.npos) return true;
  }
  return false;
}

std::string translate(const _nvrtcProgram& program) {
  const std::string source = replace_dynamic_shared(program.source);
  const char* barriers = has_barriers(source) ? "true" : "false";
  std::ostringstream out;
  out << "#include \"prelude.h\"\n#line 1 \"" << program.name << "\"\n" << source << "\n#line 1 \"kernels\"\n";
  for (const std::string& name : c_kernels(source)) out << "CUDASIM_KERNEL(" << name << ", " << barriers << ", " << name << ");\n";
  for (const auto& [expression, name] : program.instances) {
    out << "CUDASIM_KERNEL(" << name << ", " << barriers << ", " << expression << ");\n";
  }
  return out.str();
}

std::vector<std::string> compiler_command(const std::string& folder, int option_count, const char* const* options) {
  std::vector<std::string> command = {"g++", "-x", "c++", "-shared"};
  std::istringstream flags(CUDASIM_KERNEL_FLAGS);
  for (std::string flag; flags >> flag;) command.push_back(flag);
  command.insert(command.end(), {"-I", library_folder(), "-I", folder});
  for (int i = 0; i < option_count; i++) {
    const std::string option = options[i];
    if (option.rfind("-I", 0) == 0 || option.rfind("-D", 0) == 0) {
      command.push_back(option);
    } else if (option.rfind("--include-path=", 0) == 0) {
      command.push_back("-I" + option.substr(15));
    } else if (option.rfind("--define-macro=", 0) == 0) {
      command.push_back("-D" + option.substr(15));
    }  // all else is about GPUs
  }
  command.insert(command.end(), {"-I", CUDASIM_CUDA_INCLUDE, "-o", folder + "/kernel.so", folder + "/kernel.cpp"});
  return command;
}

// Runs a command with its output going to a file. Returns whether it succeeded.
bool run(const std::vector<std::string>& command, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child;
  int status = 1;
  const bool is_started = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  return is_started && waitpid(child, &status, 0) == child && status == 0;
}

// The two-step "how long is it, then copy it" of every result.
nvrtcResult size_of(const std::string& text, size_t* size) {
  *size = text.size();
  return NVRTC_SUCCESS;
}
nvrtcResult copy_of(const std::string& text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return NVRTC_SUCCESS;
}

}  // namespace

NVRTC_API const char* nvrtcGetErrorString(nvrtcResult result) {
  switch (result) {
    case NVRTC_SUCCESS: return "NVRTC_SUCCESS";
    case NVRTC_ERROR_COMPILATION: return "NVRTC_ERROR_COMPILATION";
    case NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID: return "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID";
    default: return "NVRTC_ERROR_INTERNAL_ERROR";
  }
}

NVRTC_API nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = 1;
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcGetSupportedArchs(int* archs) {
  archs[0] = 80;
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcCreateProgram(nvrtcProgram* out, const char* source, const char* name, int header_count, const char* const* headers,
                                         const char* const* header_names) {
  auto* program = new _nvrtcProgram;
  program->source = source;
  program->name = name ? name : "kernel.cu";
  for (int i = 0; i < header_count; i++) program->headers.emplace_back(header_names[i], headers[i]);
  *out = program;
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) {
  delete *program;
  *program = nullptr;
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcAddNameExpression(nvrtcProgram program, const char* expression) {
  program->instances.emplace_back(expression, "instance_" + std::to_string(program->instances.size()));
  return NVRTC_SUCCESS;
}

NVRTC_API nvrtcResult nvrtcGetLoweredName(nvrtcProgram program, const char* expression, const char** name) {
  for (const auto& instance : program->instances) {
    if (instance.first != expression) continue;
    *name = instance.second.c_str();
    return NVRTC_SUCCESS;
  }
  return NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
}

NVRTC_API nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int option_count, const char* const* options) {
  std::string folder = std::filesystem::temp_directory_path() / "cudasim-XXXXXX";
  if (!mkdtemp(folder.data())) return NVRTC_ERROR_INTERNAL_ERROR;
  write(folder + "/kernel.cpp", translate(*program));
  for (const auto& [name, text] : program->headers) write(folder + "/" + name, text);
  const bool is_compiled = run(compiler_command(folder, option_count, options), folder + "/log");
  program->log = read(folder + "/log");
  if (is_compiled) {
    const std::string object = read(folder + "/kernel.so");
    const std::uint64_t size = object.size();
    program->image = cudasim::kImageMagic;
    program->image.append(reinterpret_cast<const char*>(&size), sizeof size) += object;
  }
  std::filesystem::remove_all(folder);
  return is_compiled ? NVRTC_SUCCESS : NVRTC_ERROR_COMPILATION;
}

NVRTC_API nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t* size) { return size_of(program->image, size); }

NVRTC_API nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* out) { return copy_of(program->image, out); }

NVRTC_API nvrtcResult nvrtcGetPTXSize(nvrtcProgram, size_t* size) { return size_of({kPtx, sizeof kPtx}, size); }

NVRTC_API nvrtcResult nvrtcGetPTX(nvrtcProgram, char* out) { return copy_of({kPtx, sizeof kPtx}, out); }

NVRTC_API nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t* size) { return size_of(program->log + '\0', size); }

NVRTC_API nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* out) { return copy_of(program->log + '\0', out); }

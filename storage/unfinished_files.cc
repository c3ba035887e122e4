#include "storage/unfinished_files.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "storage/data_layout.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".partial";

void AddUnfinished(const fs::path& directory, std::vector<fs::path>& found) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == kExtension) found.push_back(entry->path());
  }
}

}  // namespace

std::vector<fs::path> UnfinishedFiles(const fs::path& data_directory) {
  std::vector<fs::path> found;
  AddUnfinished(data_directory, found);
  std::error_code error;
  for (fs::directory_iterator run(DataLayout(data_directory).trained, error),
       end;
       !error && run != end; run.increment(error)) {
    AddUnfinished(run->path(), found);
  }
  return found;
}

void RemoveUnfinishedFiles(const fs::path& data_directory) {
  for (const fs::path& path : UnfinishedFiles(data_directory)) {
    std::error_code ignored;  // the doctor finds it, too
    fs::remove_all(path, ignored);
  }
}

}  // namespace moeprobe

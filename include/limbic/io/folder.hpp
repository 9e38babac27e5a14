// limbic/io/folder.hpp - what lies in a folder, in an order that does not depend on the system
//
//   folder_listing const l = list_folder("images", "faces");       l.files, l.folders: names, sorted byte by byte
//
// Names that begin with a dot are left out. A folder that cannot be read gives io_error.
#pragma once

#include <limbic/io/file.hpp>

#include <filesystem>
#include <system_error>

LIMBIC_BEGIN

// The names in a folder, without its path.
struct folder_listing {
  std::vector<std::string> files, folders;  // sorted
  // Whether a file of this name is there.
  bool has_file(std::string_view name) const { return std::binary_search(files.begin(), files.end(), name); }
  // Whether a folder of this name is there.
  bool has_folder(std::string_view name) const { return std::binary_search(folders.begin(), folders.end(), name); }
};

inline folder_listing list_folder(std::string_view who, std::string const& path) {
  folder_listing found;
  std::error_code problem;
  std::filesystem::directory_iterator at(path, problem);
  for (; !problem && at != std::filesystem::directory_iterator(); at.increment(problem)) {
    std::string name = at->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code of_entry;  // a link that leads nowhere is neither
    if (at->is_directory(of_entry)) found.folders.push_back(std::move(name));
    else if (at->is_regular_file(of_entry)) found.files.push_back(std::move(name));
  }
  if (problem) fail<io_error>(who, detail::shown(path), ": the folder cannot be read");
  std::sort(found.files.begin(), found.files.end());
  std::sort(found.folders.begin(), found.folders.end());
  return found;
}

namespace detail {
inline std::string joined(std::string const& folder, std::string_view name) {
  std::string path = folder;
  if (!path.empty() && path.back() != '/') path += '/';
  return path += name;
}
}  // namespace detail

LIMBIC_END

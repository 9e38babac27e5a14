// limbic/io/raf_db.hpp - faces in the wild and their expressions, RAF-DB, as its authors lay it out
//
//   image_data const d = read_raf_db("RAF-DB/basic", {.decode = my_decode});
//
// Li, Deng 2019, "Reliable crowdsourcing and deep locality-preserving learning for unconstrained facial expression
// recognition". The basic set, its aligned faces of 100 x 100:
//
//   basic/EmoLabel/list_patition_label.txt (so spelt)      lines "train_00001.jpg 5": a file, a label 1 to 7
//   basic/Image/aligned/train_00001_aligned.jpg            what the first part of the file's name says is trained on, or tested
//
// The classes are surprise, fear, disgust, happiness, sadness, anger, neutral. Errors name the line of the list, counted from 1,
// or the image; what is said of images in io/image_folder.hpp holds here.
#pragma once

#include <limbic/io/image_folder.hpp>

LIMBIC_BEGIN

inline image_data read_raf_db(std::string const& folder, codecs const& with = {}) {
  constexpr std::string_view who = "raf_db";
  std::string const path = detail::joined(folder, "EmoLabel/list_patition_label.txt");
  auto const bytes = read_file(who, path);
  std::string_view rest = detail::as_text(bytes);
  std::vector<std::string> files[2];  // to train on, to test on
  std::vector<std::int64_t> labels[2];
  for (std::size_t line = 1; !rest.empty(); ++line) {
    std::size_t const end = std::min(rest.find('\n'), rest.size());
    std::string_view s = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (s.ends_with('\r') || s.ends_with(' ')) s.remove_suffix(1);
    if (s.empty()) continue;
    std::size_t const blank = s.find(' '), dot = s.rfind('.', blank);
    bool const test = s.starts_with("test_");
    if (blank == s.npos || dot == s.npos || blank + 2 != s.size() || s.back() < '1' || s.back() > '7' ||
        (!test && !s.starts_with("train_")))
      fail<io_error>(who, detail::shown(path), ", line ", line, ": '", s.substr(0, 60),
                     "', expected train_NUMBER.jpg or test_NUMBER.jpg and a label 1 to 7");
    std::string name(s.substr(0, dot));
    name += "_aligned";
    name += s.substr(dot, blank - dot);
    files[test].push_back(detail::joined(folder, "Image/aligned/" + name));
    labels[test].push_back(s.back() - '1');
  }
  image_data d;
  d.classes = {"surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"};
  if (!files[0].empty()) d.train = detail::load_images(std::move(files[0]), labels[0], with);
  if (!files[1].empty()) d.test = detail::load_images(std::move(files[1]), labels[1], with);
  return detail::checked(who, folder, std::move(d));
}

LIMBIC_END

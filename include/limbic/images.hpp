// limbic/images.hpp - data sets of labelled images: their files, and all of data.hpp
//
// Opt-in. What is compressed is decoded by functions of the program: io/codecs.hpp.
#pragma once

#include <limbic/data.hpp>
#include <limbic/io/read_images.hpp>

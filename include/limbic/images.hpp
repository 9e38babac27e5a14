// limbic/images.hpp - data sets of labelled images: their files, what is done to pixels, batches prepared on a thread; and
// data.hpp
//
// Opt-in. What is compressed is decoded by functions of the program: io/codecs.hpp.
#pragma once

#include <limbic/data.hpp>
#include <limbic/data/augment.hpp>
#include <limbic/data/channel_scaler.hpp>
#include <limbic/data/grayscale.hpp>
#include <limbic/data/prefetch.hpp>
#include <limbic/io/read_images.hpp>

// limbic/blocks.hpp - what convolutional networks are built of, and EmoSynthNet
//
// Opt-in. Single layers come with <limbic/limbic.hpp> too.
#pragma once

#include <limbic/models/emosynthnet.hpp>
#include <limbic/nn/auxiliary_classifier.hpp>
#include <limbic/nn/bottleneck.hpp>
#include <limbic/nn/conv_unit.hpp>
#include <limbic/nn/dense_block.hpp>
#include <limbic/nn/inception.hpp>
#include <limbic/nn/residual_block.hpp>
#include <limbic/nn/residual_shortcut.hpp>
#include <limbic/nn/unet.hpp>

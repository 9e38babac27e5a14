// limbic/explain.hpp - why a model decides as it does: Grad-CAM, guided backpropagation, a look at any layer
//
// Opt-in: it needs the tape.
#pragma once

#include <limbic/explain/grad_cam.hpp>
#include <limbic/explain/guided_backpropagation.hpp>
#include <limbic/explain/observe.hpp>

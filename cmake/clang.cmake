# The newest clang++ here that can also compile OpenMP (its own omp.h), for the thread sanitizer:
# libgomp is not instrumented and reports races that are none; LLVM's libomp tells the sanitizer what it does.
file(GLOB _omp /usr/lib/llvm-*/lib/clang/*/include/omp.h)
list(SORT _omp COMPARE NATURAL ORDER DESCENDING)
foreach(_header IN LISTS _omp)
  string(REGEX MATCH "^/usr/lib/llvm-[0-9]+" _root ${_header})
  if(EXISTS ${_root}/bin/clang++)
    set(CMAKE_CXX_COMPILER ${_root}/bin/clang++)
    break()
  endif()
endforeach()
if(NOT CMAKE_CXX_COMPILER)
  set(CMAKE_CXX_COMPILER clang++)
endif()

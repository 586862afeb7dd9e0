# The plugin for the baselines fa2, cudnn and pytorch, where there is a PyTorch with CUDA: that of -DTorch_DIR (the folder of
# TorchConfig.cmake), else that of python3. The runner loads it when it is asked for; nothing else depends on it.
if(Torch_DIR)
  cmake_path(SET torch_root NORMALIZE "${Torch_DIR}/../../..")
else()
  # Without importing it, which takes seconds.
  execute_process(
    COMMAND python3 -c "from importlib.util import find_spec as f; print(*f('torch').submodule_search_locations)"
    OUTPUT_VARIABLE torch_root
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

if(torch_root AND EXISTS "${torch_root}/lib/libtorch_cuda.so")
  message(STATUS "Baselines fa2, cudnn and pytorch: PyTorch in ${torch_root}")
  set(torch_plugin ${PROJECT_BINARY_DIR}/libflash_steps_torch.so)
  list(GET CUDAToolkit_INCLUDE_DIRS 0 cuda_include)
  cmake_path(GET cuda_include PARENT_PATH cuda_home)
  add_custom_command(
    OUTPUT ${torch_plugin}
    COMMAND ${CMAKE_COMMAND} -E env TORCH_ROOT=${torch_root} CUDA_HOME=${cuda_home}
            ${PROJECT_SOURCE_DIR}/scripts/build_torch_plugin.sh ${PROJECT_BINARY_DIR}
    DEPENDS harness/baselines/torch_plugin.cpp harness/baselines/plugin.h harness/baselines/torch_standard.h
            scripts/build_torch_plugin.sh
    COMMENT "Building the PyTorch plugin"
    VERBATIM)
  add_custom_target(torch_plugin ALL DEPENDS ${torch_plugin})
elseif(Torch_DIR)
  message(FATAL_ERROR "Torch_DIR=${Torch_DIR} is of no PyTorch with CUDA: ${torch_root} has no lib/libtorch_cuda.so")
else()
  message(STATUS "Baselines fa2, cudnn and pytorch: none, for python3 has no PyTorch with CUDA")
endif()

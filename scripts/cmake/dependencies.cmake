# Libraries: the system's where it has them, otherwise fetched at a pinned version.
include(FetchContent)
find_package(Threads REQUIRED)

FetchContent_Declare(
  CLI11
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
  URL_HASH SHA256=f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a
  SYSTEM
  FIND_PACKAGE_ARGS 2.1.2)
FetchContent_Declare(
  nlohmann_json
  URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
  URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d
  SYSTEM
  FIND_PACKAGE_ARGS 3.10)
FetchContent_MakeAvailable(CLI11 nlohmann_json)

if(FLASH_STEPS_TESTS AND NOT FLASH_STEPS_FUZZ)
  set(INSTALL_GTEST OFF)
  FetchContent_Declare(
    GTest
    URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
    URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7
    SYSTEM
    FIND_PACKAGE_ARGS 1.12)
  FetchContent_MakeAvailable(GTest)
endif()

# Its static library makes a runner that can be copied elsewhere, as Boost's does.
set(ZLIB_USE_STATIC_LIBS ON)
find_package(ZLIB QUIET)
if(NOT TARGET ZLIB::ZLIB)
  message(FATAL_ERROR "zlib is missing: scripts/setup.sh installs it (zlib1g-dev on Debian and Ubuntu).")
endif()

# Boost is too large to fetch for one library. Its static library makes a runner that can be copied elsewhere.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.71 QUIET COMPONENTS context)
if(NOT TARGET Boost::context)
  set(Boost_USE_STATIC_LIBS OFF)
  find_package(Boost 1.71 QUIET COMPONENTS context)
endif()
if(NOT TARGET Boost::context)
  message(FATAL_ERROR "Boost.Context is missing: scripts/setup.sh installs it (libboost-context-dev on Debian and Ubuntu).")
endif()

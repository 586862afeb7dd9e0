# What --site takes from libraries, where they are: site_text.so, which the runner loads when it is asked for a site;
# nothing else depends on it. scripts/setup.sh --site installs them.
find_package(md4c CONFIG QUIET)
find_path(SOURCE_HIGHLIGHT_INCLUDE srchilite/sourcehighlighter.h)
find_library(SOURCE_HIGHLIGHT_LIBRARY source-highlight)
find_path(DTL_INCLUDE dtl/dtl.hpp)

if(TARGET md4c::md4c AND SOURCE_HIGHLIGHT_INCLUDE AND SOURCE_HIGHLIGHT_LIBRARY AND DTL_INCLUDE)
  file(GLOB site_text_sources CONFIGURE_DEPENDS harness/site/text/*.cpp)
  add_library(site_text MODULE ${site_text_sources})
  target_link_libraries(site_text PRIVATE flash_steps_options md4c::md4c ${SOURCE_HIGHLIGHT_LIBRARY})
  target_include_directories(site_text SYSTEM PRIVATE ${SOURCE_HIGHLIGHT_INCLUDE} ${DTL_INCLUDE})
  set_target_properties(site_text PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET default)
else()
  message(STATUS "--site: none, for md4c, source-highlight or dtl is missing; scripts/setup.sh --site installs them")
endif()

# What --site takes from libraries, where they are: site_text.so, which the runner loads when it is asked for a site;
# nothing else depends on it. scripts/setup.sh --site installs them.
#
# md4c by its files: the package that Debian's libmd4c-dev brings for CMake ends the configuration where a library is
# missing that nothing here needs (that of libmd4c-html0, which it does not depend on).
find_path(MD4C_INCLUDE md4c.h)
find_library(MD4C_LIBRARY md4c)
find_path(SOURCE_HIGHLIGHT_INCLUDE srchilite/sourcehighlighter.h)
find_library(SOURCE_HIGHLIGHT_LIBRARY source-highlight)
find_path(DTL_INCLUDE dtl/dtl.hpp)

if(MD4C_INCLUDE AND MD4C_LIBRARY AND SOURCE_HIGHLIGHT_INCLUDE AND SOURCE_HIGHLIGHT_LIBRARY AND DTL_INCLUDE)
  file(GLOB site_text_sources CONFIGURE_DEPENDS harness/site/text/*.cpp)
  add_library(site_text MODULE ${site_text_sources})
  target_link_libraries(site_text PRIVATE flash_steps_options ${MD4C_LIBRARY} ${SOURCE_HIGHLIGHT_LIBRARY})
  target_include_directories(site_text SYSTEM PRIVATE ${MD4C_INCLUDE} ${SOURCE_HIGHLIGHT_INCLUDE} ${DTL_INCLUDE})
  set_target_properties(site_text PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET default)
else()
  message(STATUS "--site: none, for md4c, source-highlight or dtl is missing; scripts/setup.sh --site installs them")
endif()

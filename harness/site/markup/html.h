// Text as HTML.
#pragma once

#include <string>

namespace flash_steps {

/// With &, <, > and " as entities.
std::string escaped(const std::string& text);

/// JSON that may stand in a script element.
std::string script_json(const std::string& json);

/// "09_register_moves" as people say it: "register moves".
std::string spoken_name(const std::string& kernel);

/// The address of a file of the site as a page of it, both from the site's folder on, has to name it.
std::string address_from(const std::string& page, const std::string& file);

/// For an address: blanks and signs as %20 and the like.
std::string encoded(const std::string& text);

/// The anchor that GitHub gives a heading: small letters, digits and hyphens.
std::string anchor_of(const std::string& heading);

}  // namespace flash_steps

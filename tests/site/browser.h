// A browser that tests look into: Chromium without a window, driven through its DevTools protocol over two pipes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace flash_steps {

class Browser {
 public:
  /// Why there is none on this machine; nothing if there is one.
  static std::optional<std::string> missing();

  /// Starts it. Throws std::runtime_error.
  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Opens an address in a fresh page and waits until it is loaded; forgets the errors and requests of the last one.
  void open(const std::string& address);

  /// The value of an expression in JavaScript; a promise is waited for. Throws std::runtime_error with what it threw.
  nlohmann::json evaluate(const std::string& expression);

  /// As evaluate(), again and again until it is true; false after half a minute.
  bool wait_for(const std::string& condition);

  void set_window(int width, int height, bool dark);
  void set_scripts(bool enabled);

  /// A picture of the window as a PNG.
  void take_picture(const std::string& file);

  /// What the page wrote to its console as an error or a warning, and exceptions that nobody caught.
  const std::vector<std::string>& errors() const { return errors_; }

  /// The addresses that the page asked for, its own included.
  const std::vector<std::string>& requests() const { return requests_; }

 private:
  nlohmann::json call(const std::string& method, nlohmann::json parameters = nlohmann::json::object());
  nlohmann::json receive();
  void notice(const nlohmann::json& event);
  void load(const std::string& address);

  int process_ = 0;
  int to_ = -1;
  int from_ = -1;
  int last_id_ = 0;
  std::string session_;
  std::string target_;
  std::string page_;  ///< that is open, without what stands behind a #
  std::string buffer_;
  std::string profile_;
  bool loaded_ = false;
  std::vector<std::string> errors_;
  std::vector<std::string> requests_;
};

}  // namespace flash_steps

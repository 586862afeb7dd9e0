#include "tests/site/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace flash_steps {
namespace {

using Json = nlohmann::json;

constexpr int patience_ms = 120'000;

std::string program() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
      if (access((std::string(folder) + name).c_str(), X_OK) == 0) return std::string(folder) + name;
    }
  }
  return "";
}

std::string decoded(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : base64) {
    const size_t digit = digits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

}  // namespace

std::optional<std::string> Browser::missing() {
  if (!program().empty()) return std::nullopt;
  return "there is no Chromium; scripts/setup.sh --browser installs it";
}

Browser::Browser() {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> commands{}, answers{};
  if (pipe2(commands.data(), O_CLOEXEC) != 0 || pipe2(answers.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe to a browser");
  }
  profile_ = (std::filesystem::temp_directory_path() / "flash_steps_browser_XXXXXX").string();
  if (mkdtemp(profile_.data()) == nullptr) throw std::runtime_error("no folder for a browser's profile");
  const std::string file = program();
  const std::string profile = "--user-data-dir=" + profile_;
  std::vector<std::string> words = {file,
                                    "--headless=new",
                                    "--remote-debugging-pipe",
                                    "--no-sandbox",
                                    "--disable-gpu",
                                    "--disable-dev-shm-usage",
                                    "--no-first-run",
                                    "--disable-background-networking",
                                    "--disable-component-update",
                                    "--hide-scrollbars",
                                    profile,
                                    "about:blank"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Above 4 first: either end may lie on 3 or 4 itself.
  const int in = fcntl(commands[0], F_DUPFD_CLOEXEC, 10), out = fcntl(answers[1], F_DUPFD_CLOEXEC, 10);
  posix_spawn_file_actions_adddup2(&actions, in, 3);
  posix_spawn_file_actions_adddup2(&actions, out, 4);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawn(&process_, file.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  for (const int end : {commands[0], answers[1], in, out}) close(end);
  to_ = commands[1];
  from_ = answers[0];
  if (error != 0) throw std::runtime_error(file + " does not start");
}

Browser::~Browser() {
  close(to_);
  close(from_);
  if (process_ > 0) {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  std::error_code error;
  std::filesystem::remove_all(profile_, error);
}

Json Browser::receive() {
  for (;;) {
    const size_t end = buffer_.find('\0');
    if (end != std::string::npos) {
      const Json message = Json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return message;
    }
    pollfd waiting{from_, POLLIN, 0};
    std::array<char, 65536> bytes{};
    if (poll(&waiting, 1, patience_ms) <= 0) throw std::runtime_error("the browser does not answer");
    const ssize_t count = read(from_, bytes.data(), bytes.size());
    if (count <= 0) throw std::runtime_error("the browser is gone");
    buffer_.append(bytes.data(), static_cast<size_t>(count));
  }
}

void Browser::notice(const Json& event) {
  const std::string method = event.value("method", "");
  const Json& what = event.contains("params") ? event["params"] : event;
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Network.requestWillBeSent") requests_.push_back(what["request"]["url"].get<std::string>());
  if (method == "Network.loadingFailed") errors_.push_back("not loaded: " + what.value("errorText", ""));
  if (method == "Runtime.exceptionThrown") errors_.push_back(what["exceptionDetails"].dump());
  if (method == "Runtime.consoleAPICalled" && (what["type"] == "error" || what["type"] == "warning")) {
    errors_.push_back(what["args"].dump());
  }
  if (method == "Log.entryAdded" && (what["entry"]["level"] == "error" || what["entry"]["level"] == "warning")) {
    errors_.push_back(what["entry"].dump());
  }
}

Json Browser::call(const std::string& method, Json parameters) {
  Json message = {{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count = write(to_, text.data() + sent, text.size() - sent);
    if (count <= 0) throw std::runtime_error("the browser is gone");
    sent += static_cast<size_t>(count);
  }
  for (;;) {
    const Json answer = receive();
    if (answer.value("id", 0) != last_id_) {
      notice(answer);
    } else if (answer.contains("error")) {
      throw std::runtime_error(method + ": " + answer["error"].dump());
    } else {
      return answer["result"];
    }
  }
}

void Browser::open(const std::string& address) {
  if (target_.empty()) {
    target_ = call("Target.createTarget", {{"url", "about:blank"}})["targetId"].get<std::string>();
    session_ =
        call("Target.attachToTarget", {{"targetId", target_}, {"flatten", true}})["sessionId"].get<std::string>();
    for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"}) call(domain);
  }
  // An address that differs in its last part alone would not be loaded anew.
  const std::string page = address.substr(0, address.find('#'));
  if (page == page_) load("about:blank");
  page_ = page;
  load(address);
}

void Browser::load(const std::string& address) {
  errors_.clear();
  requests_.clear();
  loaded_ = false;
  call("Page.navigate", {{"url", address}});
  while (!loaded_) notice(receive());
}

Json Browser::evaluate(const std::string& expression) {
  const Json result =
      call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (result.contains("exceptionDetails")) throw std::runtime_error(result["exceptionDetails"].dump());
  return result["result"].contains("value") ? result["result"]["value"] : Json();
}

bool Browser::wait_for(const std::string& condition) {
  for (int i = 0; i < 600; i++) {
    if (evaluate("Boolean(" + condition + ")") == true) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

void Browser::set_window(int width, int height, bool dark) {
  if (target_.empty()) open("about:blank");
  call("Emulation.setDeviceMetricsOverride",
       {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  call("Emulation.setEmulatedMedia",
       {{"features", {{{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}}}}});
}

void Browser::set_scripts(bool enabled) {
  if (target_.empty()) open("about:blank");
  call("Emulation.setScriptExecutionDisabled", {{"value", !enabled}});
}

void Browser::take_picture(const std::string& file) {
  std::ofstream(file, std::ios::binary) << decoded(call("Page.captureScreenshot", {{"format", "png"}})["data"]);
}

}  // namespace flash_steps

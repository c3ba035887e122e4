#include "client/commands/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>
#include <string>

namespace moeprobe {

Screen Screen::Of(std::ostream& stream, int descriptor) {
  winsize size{};
  const bool is_terminal = isatty(descriptor) == 1;
  const bool known = is_terminal && ioctl(descriptor, TIOCGWINSZ, &size) == 0 &&
                     size.ws_col > 0;
  return {stream, is_terminal, known ? size.ws_col : kPipeWidth};
}

void Screen::Print(const std::string& text) {
  Erase();
  stream_ << text << std::flush;
}

void Screen::Draw(const std::string& line) {
  if (!is_terminal_) return;
  stream_ << "\r" << line << "\x1B[K" << std::flush;
  drawn_ = true;
}

void Screen::Erase() {
  if (drawn_) stream_ << "\r\x1B[K" << std::flush;
  drawn_ = false;
}

}  // namespace moeprobe

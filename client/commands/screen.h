#ifndef MOEPROBE_CLIENT_COMMANDS_SCREEN_H_
#define MOEPROBE_CLIENT_COMMANDS_SCREEN_H_

#include <ostream>
#include <string>

namespace moeprobe {

// Where a command shows something: a terminal, or a pipe or file.
class Screen {
 public:
  // Columns where there is no terminal to ask.
  static constexpr int kPipeWidth = 100;

  // Writes to `stream`; a terminal of `width` columns if `is_terminal`.
  Screen(std::ostream& stream, bool is_terminal, int width)
      : stream_(stream), is_terminal_(is_terminal), width_(width) {}

  // A screen that writes to `stream`, which is the file `descriptor`.
  static Screen Of(std::ostream& stream, int descriptor);

  bool is_terminal() const { return is_terminal_; }
  int width() const { return width_; }

  // Writes text that may have several lines, from a line's beginning on.
  void Print(const std::string& text);

  // Shows `line` in place of the last one drawn; only on a terminal.
  void Draw(const std::string& line);

  // Takes away what was drawn.
  void Erase();

 private:
  std::ostream& stream_;
  bool is_terminal_;
  int width_;
  bool drawn_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SCREEN_H_

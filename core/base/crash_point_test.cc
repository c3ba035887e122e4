#include "core/base/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class CrashPointTest : public testing::Test {
 protected:
  // What becomes of a process with that in its environment.
  static int EndOf(const std::string& value,
                   const std::function<void()>& body) {
    return WaitStatusOfChild([&] {
      setenv("MOEPROBE_CRASH_POINT", value.c_str(), /*overwrite=*/1);
      if (!ArmCrashPoint().ok()) return 2;
      body();
      return 0;
    });
  }
  static bool WasKilled(int end) {
    return WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL;
  }

  std::string Third() const { return absl::StrCat("here:3:", note_.native()); }
  std::string Note() const { return ReadFile(note_, 100)->bytes; }

  TemporaryDirectory directory_;
  std::filesystem::path note_ = directory_.path() / "note";
};

void VisitHere(int times) {
  for (int i = 0; i < times; ++i) CrashPoint("here");
}

TEST_F(CrashPointTest, DoesNothingUnlessArmed) {
  ASSERT_TRUE(ArmCrashPoint().ok());
  VisitHere(3);
}

TEST_F(CrashPointTest, EndsTheProcessAtTheVisitThatWasAskedFor) {
  EXPECT_EQ(EndOf(Third(), [] { VisitHere(2); }), 0);
  EXPECT_EQ(Note(), "");
  EXPECT_TRUE(WasKilled(EndOf(Third(), [] { VisitHere(3); })));
  EXPECT_EQ(Note(), "here");
}

TEST_F(CrashPointTest, LeavesOtherPlacesAlone) {
  EXPECT_EQ(EndOf(Third(),
                  [] {
                    for (int i = 0; i < 3; ++i) CrashPoint("elsewhere");
                  }),
            0);
}

TEST_F(CrashPointTest, EndsOneProcessOnly) {
  EXPECT_TRUE(WasKilled(EndOf(Third(), [] { VisitHere(3); })));
  EXPECT_EQ(EndOf(Third(), [] { VisitHere(9); }), 0);
}

TEST_F(CrashPointTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* value :
       {"", "here", "here:1", "here:0:/dev/null", "here:x:/dev/null",
        ":1:/dev/null", "here:1:/proc/none/note"}) {
    setenv("MOEPROBE_CRASH_POINT", value, /*overwrite=*/1);
    EXPECT_THAT(std::string(ArmCrashPoint().message()),
                HasSubstr("MOEPROBE_CRASH_POINT"))
        << value;
  }
  unsetenv("MOEPROBE_CRASH_POINT");
}

}  // namespace
}  // namespace moeprobe

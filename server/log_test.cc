#include "server/log.h"

#include <nlohmann/json.hpp>
#include <string>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(LogLineTest, OfTextHasItsFieldsBehindTheMessage) {
  EXPECT_EQ(LogLine(LogFormat::kText, "info", "started",
                    {{"job", "17"}, {"attempt", "2"}}),
            "started job=17 attempt=2");
}

TEST(LogLineTest, OfJsonIsOneObject) {
  const auto line = nlohmann::json::parse(LogLine(
      LogFormat::kJson, "warning", "no \"room\"\nleft", {{"job", "17"}}));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "no \"room\"\nleft");
  EXPECT_EQ(line["job"], "17");
  EXPECT_TRUE(line.contains("time"));
}

TEST(LogLineTest, HasTheSameFieldsForJobsAndWorkersEverywhere) {
  EXPECT_EQ(LogLine(LogFormat::kText, "info", "started",
                    {JobField(17), WorkerField(4711)}),
            "started job=17 worker=4711");
}

TEST(LogFormatTest, IsFoundByItsName) {
  for (const auto& [name, format] : LogFormats()) {
    EXPECT_EQ(NameOf(format), name);
  }
  EXPECT_EQ(LogFormats().at("json"), LogFormat::kJson);
  EXPECT_EQ(LogFormats().size(), 2);
}

TEST(LogLineTest, OfJsonStaysOneLineWhateverTheBytes) {
  const std::string line =
      LogLine(LogFormat::kJson, "info", "model a\n\xff\xfe", {});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(line));
}

}  // namespace
}  // namespace moeprobe

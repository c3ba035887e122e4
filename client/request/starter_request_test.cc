#include "client/request/starter_request.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/request/request_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

v1::Model Mixtral() {
  v1::Model model;
  model.set_name("org/Mixtral@main");
  model.set_family("mixtral");
  model.set_layer_count(32);
  model.set_expert_count(8);
  model.set_experts_per_token(2);
  model.set_width(4096);
  return model;
}

v1::AnalyzeSpec Read(const std::string& yaml) {
  const auto request = ReadRequest(yaml, "f");
  EXPECT_TRUE(request.ok()) << request.status() << "\n" << yaml;
  return request.ok() ? request->job.analyze() : v1::AnalyzeSpec();
}

TEST(StarterRequestTest, IsARequest) {
  const std::string yaml = StarterRequest(Mixtral(), "a \"text\".txt");
  EXPECT_THAT(yaml, HasSubstr("# mixtral: 32 layers of width 4096, 8 experts, "
                              "top 2\n"));
  const v1::AnalyzeSpec spec = Read(yaml);
  EXPECT_EQ(spec.model(), "org/Mixtral@main");
  EXPECT_EQ(spec.data(0).text(), "a \"text\".txt");
  EXPECT_EQ(spec.layers().preset(),
            v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
  EXPECT_EQ(spec.probes().jacobian().average_size(), 3);
}

TEST(StarterRequestTest, LooksAtEveryLayerOfASmallModel) {
  v1::Model model = Mixtral();
  model.set_layer_count(4);
  EXPECT_EQ(Read(StarterRequest(model, "t")).layers().preset(),
            v1::LayerSelection::PRESET_ALL);
}

TEST(StarterRequestTest, LeavesOutWhatIsDearWithManyExperts) {
  v1::Model model = Mixtral();
  model.set_expert_count(60);
  EXPECT_EQ(Read(StarterRequest(model, "t")).probes().jacobian().average_size(),
            2);
}

TEST(StarterRequestTest, HasNoCommentThatHidesAKey) {
  v1::Model model = Mixtral();
  model.set_expert_count(0);
  EXPECT_THAT(StarterRequest(model, "t"), HasSubstr("4096, dense\n"));
  // Taking the mark from every optional line leaves a request.
  std::string yaml = StarterRequest(model, "t");
  for (const char* key :
       {"baseline", "precision", "routing", "sweep", "  spectra",
        "  router_term", "  redundancy", "  interventions"}) {
    const std::string word = std::string(key).substr(key[0] == ' ' ? 2 : 0);
    const std::string indent = key[0] == ' ' ? "  " : "";
    const size_t at = yaml.find(absl::StrCat("\n", indent, "# ", word, ":"));
    ASSERT_NE(at, std::string::npos) << key;
    yaml.erase(at + 1 + indent.size(), 2);
  }
  EXPECT_EQ(Read(yaml).probes().interventions().pairs(), 8);
}

TEST(StarterExperimentTest, IsARequest) {
  const std::string yaml = StarterExperiment("a \"text\".txt");
  const auto request = ReadRequest(yaml, "f");
  ASSERT_TRUE(request.ok()) << request.status() << "\n" << yaml;
  EXPECT_EQ(request->job.train().data().text(), "a \"text\".txt");
  EXPECT_EQ(request->job.train().variants_size(), 3);
}

// What a comment shows has to be a request, too.
TEST(StarterExperimentTest, IsOneWithItsCommentsTakenAway) {
  std::string yaml = StarterExperiment("text.txt");
  for (const char* key : {"# decay:", "# warmup:", "# clip:", "# balance_loss:",
                          "# spectra:", "# nulls:", "# swap_routing:"}) {
    const size_t found = yaml.find(key);
    ASSERT_NE(found, std::string::npos) << key;
    yaml.erase(found, 2);
  }
  const auto request = ReadRequest(yaml, "f");
  ASSERT_TRUE(request.ok()) << request.status() << "\n" << yaml;
  EXPECT_EQ(request->job.train().swap_routing_size(), 2);
}

}  // namespace
}  // namespace moeprobe

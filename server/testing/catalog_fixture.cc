#include "server/testing/catalog_fixture.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/model_root.h"
#include "server/request_resolution.h"
#include "server/violations.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {

CatalogFixture::CatalogFixture() {
  WriteTinyModel(root_ / "mixtral",
                 MakeTinyModel("mixtral", {.layer_count = 7}));
  WriteTinyModel(root_ / "llama", MakeTinyModel("llama", {.layer_count = 5}));
  std::filesystem::create_directories(root_ / "broken");
  WriteBytes(root_ / "broken/config.json", "{}");
  catalog_ = std::make_unique<DataCatalog>(&datasets_, &fingerprints_, &blobs_);
  models_ = std::make_unique<ModelRegistry>(
      std::vector<ModelRoot>{*ModelRoot::Open(root_)},
      *ModelRoot::Open(directory_.path()), &jobs_);
}

void CatalogFixture::AddDataset(const std::string& name, bool is_text,
                                const std::string& bytes) {
  ASSERT_TRUE(datasets_
                  .Add({.access = {},
                        .sha256 = *blobs_.Put(bytes),
                        .is_text = is_text,
                        .display_name = name,
                        .size_bytes = static_cast<int64_t>(bytes.size()),
                        .create_time = absl::Now()})
                  .ok());
}

ResolvedRequest CatalogFixture::Resolve(const v1::Job& job) {
  return ResolveRequest(job, *models_, *catalog_);
}

std::vector<std::string> CatalogFixture::Fields(const v1::Job& job) {
  std::vector<std::string> fields;
  const ResolvedRequest resolved = Resolve(job);
  for (const Violation& violation : resolved.violations.list()) {
    fields.push_back(violation.field);
  }
  return fields;
}

}  // namespace moeprobe

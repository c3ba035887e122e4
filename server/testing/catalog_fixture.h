#ifndef MOEPROBE_SERVER_TESTING_CATALOG_FIXTURE_H_
#define MOEPROBE_SERVER_TESTING_CATALOG_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/request_resolution.h"
#include "storage/blob_store.h"
#include "storage/database.h"
#include "storage/dataset_store.h"
#include "storage/fingerprint_store.h"
#include "storage/job_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {

// Models and data sets as a server has them, and requests that are held against
// them. The models are "mixtral" of 7 and "llama" of 5 layers, and "broken".
class CatalogFixture : public testing::Test {
 protected:
  CatalogFixture();

  void AddDataset(const std::string& name, bool is_text,
                  const std::string& bytes);

  ResolvedRequest Resolve(const v1::Job& job);

  // Fields of all violations.
  std::vector<std::string> Fields(const v1::Job& job);

  TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_.path() / "models";
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  BlobStore blobs_ = *BlobStore::Open(directory_.path() / "blobs");
  DatasetStore datasets_{database_.get()};
  FingerprintStore fingerprints_{database_.get()};
  JobStore jobs_{database_.get(), [](int64_t /*job*/) {}};
  std::unique_ptr<DataCatalog> catalog_;
  std::unique_ptr<ModelRegistry> models_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_CATALOG_FIXTURE_H_

#include "storage/fingerprint_store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/npy.h"
#include "core/base/token_windows.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

std::vector<int32_t> ParseIds(const std::string& text) {
  std::vector<int32_t> ids;
  for (const absl::string_view id :
       absl::StrSplit(text, ',', absl::SkipEmpty())) {
    ids.push_back(0);
    if (!absl::SimpleAtoi(id, &ids.back())) ids.pop_back();
  }
  return ids;
}

}  // namespace

absl::StatusOr<std::map<int64_t, std::string>> FingerprintStore::Weights(
    const std::string& stamp) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::map<int64_t, std::string>> {
        Statement query =
            Query(db,
                  "SELECT layer, fingerprint FROM weights_fingerprint WHERE "
                  "stamp = ?1",
                  stamp);
        std::map<int64_t, std::string> fingerprints;
        while (query.executeStep()) {
          fingerprints[query.getColumn(0).getInt64()] =
              query.getColumn(1).getString();
        }
        return fingerprints;
      });
}

absl::StatusOr<std::optional<std::string>> FingerprintStore::Tokenization(
    const std::string& text_sha256, const std::string& tokenizer_sha256) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::optional<std::string>> {
        return QueryText(db,
                         "SELECT ids_sha256 FROM tokenization WHERE "
                         "text_sha256 = ?1 AND tokenizer_sha256 = ?2",
                         text_sha256, tokenizer_sha256);
      });
}

absl::Status FingerprintStore::RememberTokenization(
    const std::string& text_sha256, const std::string& tokenizer_sha256,
    const std::string& ids_sha256) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "INSERT OR REPLACE INTO tokenization VALUES(?1, ?2, ?3)",
            text_sha256, tokenizer_sha256, ids_sha256);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<TokenIdSummary>> FingerprintStore::TokenIds(
    const std::string& ids_sha256) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::optional<TokenIdSummary>> {
        Statement query =
            Query(db, "SELECT count, largest FROM token_ids WHERE sha256 = ?1",
                  ids_sha256);
        if (!query.executeStep()) return std::nullopt;
        return TokenIdSummary{.count = query.getColumn(0).getInt64(),
                              .largest = query.getColumn(1).getInt()};
      });
}

absl::Status FingerprintStore::RememberTokenIds(const std::string& ids_sha256,
                                                const TokenIdSummary& summary) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db, "INSERT OR REPLACE INTO token_ids VALUES(?1, ?2, ?3)",
            ids_sha256, summary.count, summary.largest);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<CutData>> FingerprintStore::Data(
    const std::string& ids_sha256, const WindowOptions& windows) {
  return database_->Read(
      [&](Connection& db) -> absl::StatusOr<std::optional<CutData>> {
        Statement query =
            Query(db,
                  "SELECT fingerprint, token_count, first_ids FROM "
                  "data_fingerprint WHERE ids_sha256 = ?1 AND tokens = ?2 AND "
                  "sequence_length = ?3 AND skip_first = ?4",
                  ids_sha256, windows.tokens, windows.sequence_length,
                  windows.skip_first);
        if (!query.executeStep()) return std::nullopt;
        return CutData{.fingerprint = query.getColumn(0).getString(),
                       .token_count = query.getColumn(1).getInt64(),
                       .first_ids = ParseIds(query.getColumn(2).getString())};
      });
}

absl::Status FingerprintStore::RememberData(const std::string& ids_sha256,
                                            const WindowOptions& windows,
                                            const CutData& data) {
  return database_->Write([&](Connection& db) -> absl::Status {
    Execute(db,
            "INSERT OR REPLACE INTO data_fingerprint VALUES(?1, ?2, ?3, ?4, "
            "?5, ?6, ?7)",
            ids_sha256, windows.tokens, windows.sequence_length,
            windows.skip_first, data.fingerprint, data.token_count,
            absl::StrJoin(data.first_ids, ","));
    return absl::OkStatus();
  });
}

}  // namespace moeprobe

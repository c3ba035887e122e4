#include "storage/blob_references.h"

#include <set>
#include <string>

#include "storage/connection.h"
#include "storage/statement.h"

namespace moeprobe {

std::set<std::string> BlobReferences(Connection& database) {
  Statement query(database,
                  "SELECT sha256 FROM matrix WHERE npy IS NULL "
                  "UNION SELECT sha256 FROM dataset "
                  "UNION SELECT ids_sha256 FROM tokenization");
  std::set<std::string> references;
  while (query.executeStep()) {
    references.insert(query.getColumn(0).getString());
  }
  return references;
}

}  // namespace moeprobe

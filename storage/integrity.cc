#include "storage/integrity.h"

#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/connection.h"
#include "storage/schema.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

constexpr const char* kMiscountedEntries = R"sql(
SELECT 'an entry of the cache is ' || size_bytes || ' bytes by its row' AS what
FROM cache_entry e WHERE size_bytes <> coalesce((
  SELECT sum(size_bytes) FROM matrix WHERE entry = e.id), 0)
UNION ALL
SELECT 'nobody answers for an entry of the cache that a job has'
FROM cache_entry e WHERE payer IS NULL AND EXISTS (
  SELECT 1 FROM job_group WHERE entry = e.id)
UNION ALL
SELECT 'job ' || payer || ' answers for an entry of the cache without having it'
FROM cache_entry e WHERE payer IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM job_group WHERE entry = e.id AND job = e.payer)
UNION ALL
SELECT 'nobody answers for run ' || name || ', which a job has'
FROM trained_run r WHERE payer IS NULL AND EXISTS (
  SELECT 1 FROM job_run WHERE run = r.name)
UNION ALL
SELECT 'job ' || payer || ' answers for run ' || name || ' without having it'
FROM trained_run r WHERE payer IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM job_run WHERE run = r.name AND job = r.payer))sql";

constexpr const char* kMiscountedUsers = R"sql(
WITH found(owner, bytes) AS (
  SELECT coalesce(owner, ''), sum(size_bytes) FROM (
    SELECT payer, size_bytes FROM cache_entry
    UNION ALL SELECT payer, size_bytes FROM trained_run)
  LEFT JOIN job ON job.id = payer GROUP BY 1),
names(owner) AS (SELECT owner FROM found UNION SELECT owner FROM stored_bytes)
SELECT 'the results of ' || iif(owner = '', 'nobody', owner) || ' are ' ||
  coalesce(s.bytes, 0) || ' bytes by their sum, ' || coalesce(f.bytes, 0) ||
  ' by their rows'
FROM names LEFT JOIN stored_bytes s USING(owner) LEFT JOIN found f USING(owner)
WHERE coalesce(s.bytes, 0) <> coalesce(f.bytes, 0))sql";

}  // namespace

std::vector<std::string> FindDamage(Connection& database) {
  std::vector<std::string> damage;
  Statement pages(database, "PRAGMA integrity_check(20)");
  while (pages.executeStep()) {
    const std::string found = pages.getColumn(0).getString();
    if (found != "ok") damage.push_back(found);
  }
  Statement keys(database, "PRAGMA foreign_key_check");
  while (keys.executeStep()) {
    damage.push_back(absl::StrCat("a row of ", keys.getColumn(0).getString(),
                                  " refers to none of ",
                                  keys.getColumn(2).getString()));
  }
  return damage;
}

std::vector<std::string> FindMiscounts(Connection& database) {
  const auto version = QueryInteger(database, "PRAGMA user_version");
  if (version != std::ssize(Migrations())) return {};
  std::vector<std::string> found =
      SelectTexts(Query(database, kMiscountedEntries));
  for (const std::string& what :
       SelectTexts(Query(database, kMiscountedUsers))) {
    found.push_back(what);
  }
  return found;
}

}  // namespace moeprobe

#include "server/null_resolution.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr int kDefaultRandomRouters = 99;
constexpr int kDefaultBootstrap = 200;
constexpr int kMostDraws = 9999;
// Of fewer draws none lies beyond the ends of a 95 % interval.
constexpr int kFewestBootstrapDraws = 40;

void CheckDraws(int draws, const std::string& field, Violations& violations) {
  if (draws >= 0 && draws <= kMostDraws) return;
  violations.Add(field, absl::StrCat(draws, " is out of range, expected 0 to ",
                                     kMostDraws));
}

void CheckBootstrap(int draws, Violations& violations) {
  const bool enough = draws >= kFewestBootstrapDraws && draws <= kMostDraws;
  if (draws == 0 || enough) return;
  violations.Add(
      "nulls.bootstrap",
      absl::StrCat(draws, " is out of range, expected ", kFewestBootstrapDraws,
                   " to ", kMostDraws, ", or 0 for no intervals"));
}

}  // namespace

v1::NullSpec ResolveNulls(const v1::NullSpec& asked, Violations& violations) {
  v1::NullSpec result;
  result.set_random_router(asked.has_random_router() ? asked.random_router()
                                                     : kDefaultRandomRouters);
  result.set_permutations(asked.permutations());
  result.set_random_weights(asked.random_weights());
  result.set_bootstrap(asked.has_bootstrap() ? asked.bootstrap()
                                             : kDefaultBootstrap);
  result.set_keep_draws(asked.keep_draws());
  CheckDraws(result.random_router(), "nulls.random_router", violations);
  CheckDraws(result.permutations(), "nulls.permutations", violations);
  CheckDraws(result.random_weights(), "nulls.random_weights", violations);
  CheckBootstrap(result.bootstrap(), violations);
  return result;
}

}  // namespace moeprobe

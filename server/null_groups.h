#ifndef MOEPROBE_SERVER_NULL_GROUPS_H_
#define MOEPROBE_SERVER_NULL_GROUPS_H_

#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Groups of nulls and intervals: "nulls/" and the name of the base group whose
// means they are about, such as "nulls/jacobian/gate" or "nulls/pca/reference".

// Returns the base group of a group of nulls; "" where `group` is none.
std::string BaseOfNulls(const std::string& group);

// Returns the groups of nulls for base groups of resolved probes, in their
// order.
std::vector<std::string> NullGroups(const std::vector<std::string>& bases,
                                    const v1::NullSpec& nulls);

// Returns `groups` and every base group that has to be made with them: the base
// of each group of nulls, and for those of Jacobians "jacobian/all" where
// `probes` average it, since only then every expert runs on every token and has
// a random-router null.
std::set<std::string> WithBases(const std::set<std::string>& groups,
                                const v1::ProbeSpec& probes);

// Returns `nulls` if any of `groups` is one of nulls, else none.
v1::NullSpec NullsFor(const std::set<std::string>& groups,
                      const v1::NullSpec& nulls);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_NULL_GROUPS_H_

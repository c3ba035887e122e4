#ifndef MOEPROBE_SERVER_DATA_RESOLUTION_H_
#define MOEPROBE_SERVER_DATA_RESOLUTION_H_

#include <string>

#include "moeprobe/v1/analysis.pb.h"
#include "server/data_catalog.h"
#include "server/violations.h"

namespace moeprobe {

// Returns the data set `name`, of text or of token ids, by its digest. What is
// wrong goes to `violations`, under `field`, such as "data[0].text".
std::string ResolveDataset(const std::string& name, bool is_text,
                           const std::string& field, DataCatalog& catalog,
                           Violations& violations);

// Returns `data` with every default filled in and its data set named by digest.
// What is wrong goes to `violations`, under `field`, such as "data[0]".
v1::DataSpec ResolveData(const v1::DataSpec& data, const std::string& field,
                         DataCatalog& catalog, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATA_RESOLUTION_H_

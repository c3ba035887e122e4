#ifndef MOEPROBE_SERVER_METRICS_PAGE_H_
#define MOEPROBE_SERVER_METRICS_PAGE_H_

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace moeprobe {

// http://ADDRESS/metrics, for Prometheus to read. Only on loopback addresses:
// whoever reads it sees how busy the laboratory is.
class MetricsPage {
 public:
  // `address`: HOST:PORT. Errors: those of CheckLoopbackAddress; Unavailable if
  // the system says no.
  static absl::StatusOr<std::unique_ptr<MetricsPage>> Start(
      const std::string& address);

  // The address, with the real port for HOST:0.
  const std::string& address() const { return address_; }

  // Shows also what `metrics` collects. It is asked from the page's threads,
  // as long as it lives.
  void Add(const std::shared_ptr<prometheus::Collectable>& metrics);

 private:
  MetricsPage(std::string address, std::unique_ptr<prometheus::Exposer> page);

  std::string address_;
  std::unique_ptr<prometheus::Exposer> page_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_METRICS_PAGE_H_

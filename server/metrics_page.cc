#include "server/metrics_page.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/listen_address.h"

namespace moeprobe {

absl::StatusOr<std::unique_ptr<MetricsPage>> MetricsPage::Start(
    const std::string& address) {
  MOEPROBE_RETURN_IF_ERROR(CheckLoopbackAddress(address));
  try {
    auto page = std::make_unique<prometheus::Exposer>(address);
    const int port = page->GetListeningPorts().front();
    return std::unique_ptr<MetricsPage>(
        new MetricsPage(WithPort(address, port), std::move(page)));
  } catch (const std::exception& error) {  // as the library says no
    return absl::UnavailableError(
        absl::StrCat("cannot show metrics on ", address, ": ", error.what()));
  }
}

MetricsPage::MetricsPage(std::string address,
                         std::unique_ptr<prometheus::Exposer> page)
    : address_(std::move(address)), page_(std::move(page)) {}

void MetricsPage::Add(const std::shared_ptr<prometheus::Collectable>& metrics) {
  page_->RegisterCollectable(metrics);
}

}  // namespace moeprobe

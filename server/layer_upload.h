#ifndef MOEPROBE_SERVER_LAYER_UPLOAD_H_
#define MOEPROBE_SERVER_LAYER_UPLOAD_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "storage/published_layer.h"

namespace moeprobe {

// A layer as a worker sent it.
struct LayerUpload {
  v1::FinishedLayer layer;
  std::vector<NewArray> arrays;  // with their bytes and summaries
};

// Puts together what `read` delivers, message by message, until it returns
// false, and checks it: all announced arrays are there, each a .npy of the
// announced type, shape, length and digest, under a name of the layer, once.
// InvalidArgument if the messages make no layer, DataLoss if bytes are not what
// was announced.
absl::StatusOr<LayerUpload> ReceiveLayer(
    const std::function<bool(v1::PublishLayerRequest*)>& read);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LAYER_UPLOAD_H_

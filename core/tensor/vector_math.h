#ifndef MOEPROBE_CORE_TENSOR_VECTOR_MATH_H_
#define MOEPROBE_CORE_TENSOR_VECTOR_MATH_H_

namespace moeprobe {

// Lets MKL choose its kernels for elementwise functions (exp, erf, ...) while
// only the calling thread computes. It chooses at a function's first call, and
// where two threads make that call at once one of them may compute with a
// kernel of low accuracy, wrong from the fifth digit on
// (https://github.com/pytorch/pytorch/issues/188792).
//
// Every program that computes calls this first, as Analyzer does.
void ChooseVectorMath();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TENSOR_VECTOR_MATH_H_

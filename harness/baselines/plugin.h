/* The binary interface between the runner and a shared library that computes attention with another project's
 * operators. Plain C, so that neither side cares how the other was compiled; no header of the project is needed.
 *
 * The library is libflash_steps_torch.so, built by scripts/build_torch_plugin.sh from torch_plugin.cpp. The runner
 * loads it with dlopen, and only for --baseline=fa2, cudnn or pytorch.
 *
 * Functions that can fail return NULL when they have done what they were asked, and otherwise why not, as text without
 * a full stop. The text stays valid until the next call of the same thread. No C++ exception leaves the library. */
#ifndef FLASH_STEPS_BASELINES_PLUGIN_H
#define FLASH_STEPS_BASELINES_PLUGIN_H

#ifdef __cplusplus
extern "C" {
#endif

/* Counts up with each change of this file. The runner refuses a library of another version. */
#define FLASH_STEPS_PLUGIN_VERSION 6

/* O = softmax(Q·Kᵀ / √head_dim)·V. q, k and v are device pointers to 16-bit elements on the current GPU, q in row-major
 * [batch, seqlen, heads, head_dim], k and v in [batch, seqlen_kv, kv_heads, head_dim]; they stay where they are until
 * the attention is destroyed. kv_heads divides heads, and neighbouring heads share one of K and V. */
typedef struct {
  const void* q;
  const void* k;
  const void* v;
  int batch;
  int seqlen;
  int heads;
  int head_dim;
  int seqlen_kv;
  int kv_heads;
  int is_bf16;   /* 0: fp16 */
  int is_causal; /* 1: a query attends to the keys up to its own place, the last query having the last key's */
  double dropout;
  unsigned long long dropout_seed;   /* of Philox, as FlashAttention-2 draws from it */
  unsigned long long dropout_offset; /* a multiple of 4 */
  /* Of pytorch with dropout, else NULL: a device pointer to [batch, heads, seqlen, seqlen_kv] bytes, 1 for a weight
   * that is kept and 0 for one that is dropped. It is PyTorch's to count among what the attention holds, and not
   * counted by the memory function. */
  const unsigned char* kept;
  /* Device pointers to [batch + 1]: the first row of each sequence in q, or in k and v, and how many there are. NULL:
   * all have seqlen and seqlen_kv rows; if not, those are what no sequence exceeds, and the tensors are [rows, heads,
   * head_dim] and [kv_rows, kv_heads, head_dim]. */
  const int* starts;
  const int* kv_starts;
  long long rows;
  long long kv_rows;
  /* Of a backward pass, else NULL: O and its gradient, laid out as q, and ln of the row sums in fp32 [batch, heads,
   * seqlen]. */
  const void* o;
  const void* d_o;
  const float* lse;
} flash_steps_problem;

typedef struct flash_steps_attention flash_steps_attention;

/* FLASH_STEPS_PLUGIN_VERSION as the library was compiled with it. */
typedef int flash_steps_plugin_version_function(void);

/* What computes, for the results file: "PyTorch 2.11.0, CUDA 13.0, cuDNN 9.15.1". Never fails. */
typedef const char* flash_steps_plugin_description_function(void);

/* 1 if the GPU's memory did not suffice for the last call of this thread that failed, else 0. */
typedef int flash_steps_was_out_of_memory_function(void);

/* Prepares one operator for a problem: "fa2" is PyTorch's FlashAttention-2, "cudnn" is cuDNN's attention, and "pytorch"
 * is standard attention of one operator a step (see torch_standard.h), with autograd for its backward pass. Runs
 * nothing on the GPU that outlasts the call. */
typedef const char* flash_steps_attention_create_function(const char* name, const flash_steps_problem* problem,
                                                          flash_steps_attention** attention);

/* What a run of a forward pass writes, O, and a run of a backward pass: dQ, dK and dV. */
#define FLASH_STEPS_MOST_OUTPUTS 3

/* Puts one computation on the stream (a cudaStream_t; NULL is the default stream) and does not wait for it. The first
 * backward pass of pytorch on a stream runs the forward one there before, which later ones go back through. */
typedef const char* flash_steps_attention_run_function(flash_steps_attention* attention, void* stream);

/* Waits, and says where the outputs of the last run are, in the layout of q, k and v: where fa2 and cudnn themselves
 * have written, and copies of pytorch's, whose layout is another. They stay valid until the next run or destroy. */
typedef const char* flash_steps_attention_outputs_function(flash_steps_attention* attention,
                                                           const void* outputs[FLASH_STEPS_MOST_OUTPUTS]);

/* Runs once more, with what that means for the outputs of the run before, and waits. *bytes is the most that PyTorch's
 * allocator held for that run at one time: the outputs and what else the operator takes, rounded up as it rounds. The
 * backward pass of pytorch is measured with the forward one that it goes back through, but for O, which the problem has
 * already. */
typedef const char* flash_steps_attention_memory_function(flash_steps_attention* attention, long long* bytes);

/* Waits for what was run, and gives the library's memory of the GPU back. NULL does nothing. */
typedef void flash_steps_attention_destroy_function(flash_steps_attention* attention);

/* The functions under these names. */
extern flash_steps_plugin_version_function flash_steps_plugin_version;
extern flash_steps_plugin_description_function flash_steps_plugin_description;
extern flash_steps_was_out_of_memory_function flash_steps_was_out_of_memory;
extern flash_steps_attention_create_function flash_steps_attention_create;
extern flash_steps_attention_run_function flash_steps_attention_run;
extern flash_steps_attention_outputs_function flash_steps_attention_outputs;
extern flash_steps_attention_memory_function flash_steps_attention_memory;
extern flash_steps_attention_destroy_function flash_steps_attention_destroy;

#ifdef __cplusplus
}
#endif

#endif

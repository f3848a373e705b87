// A pretend graphics card: PyTorch's PrivateUse1 in host memory.
//
// Tensors of `pretend:0` and `pretend:1` are computed by the CPU's kernels, but what makes a card a card is here:
// tensors of different devices do not mix; memory is counted and capped for each card; copies on a side stream come
// late, in a seeded order, and what was not waited for reads as NaN; memory that another stream may still be using is
// free only once the host has waited; page-locked memory is rounded up as torch's own host allocator does it; attention
// is one operation that holds nothing of tokens squared; a convolution holds a workspace while it runs.

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/Resize.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/native/transformers/sdp_utils_cpp.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/set_cpu_dispatch.h>
#include <ATen/ops/view_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/unfold_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <unordered_map>

using at::Tensor;
using c10::DeviceIndex;
using c10::StreamId;

namespace {

constexpr int CARDS = 2;
constexpr size_t GRAIN = 512; // bytes that the caching allocator of CUDA rounds up to
constexpr auto CARD = c10::DeviceType::PrivateUse1;

std::recursive_mutex LOCK;

// ---- streams: what was issued, and what the host knows to be done ----

struct Copy {
  Tensor from, to; // held until the copy is made
};

struct Lane {
  std::deque<Copy> copies; // of a side stream, in order, not made yet
  int64_t issued = 0, done = 0; // work handed to the stream; work that the host waited for
};

struct Event {
  StreamId stream = 0;
  DeviceIndex card = 0;
  int64_t issued = 0, copies = 0;
  bool recorded = false;
};

struct Freed {
  void* start;
  size_t size;
  int64_t when; // work issued to the default stream at that moment
};

struct Card {
  std::map<StreamId, Lane> lanes;
  int64_t live = 0, peak = 0, cap = 0, workspace = 0;
  int64_t imitated = 0, imitated_at_peak = 0; // of what is live, the workspaces: what a real card does differently
  std::vector<Freed> freed; // used by the default stream, which may not be past it
  int64_t races = 0, to_card = 0, from_card = 0;
};

Card CARD_STATE[CARDS];
thread_local DeviceIndex CURRENT = 0;
thread_local StreamId STREAM[CARDS] = {0, 0};
StreamId NEXT_STREAM = 1;
std::mt19937 CHANCE(0);
std::unordered_map<int64_t, int64_t> COPIES_MADE; // (card, stream) -> copies made so far

int64_t key(DeviceIndex card, StreamId stream) { return stream * CARDS + card; }

Tensor host_view(const Tensor& t);

void make_copies(DeviceIndex card, StreamId stream, int64_t up_to) {
  auto& lane = CARD_STATE[card].lanes[stream];
  auto& made = COPIES_MADE[key(card, stream)];
  while (!lane.copies.empty() && made < up_to) {
    Copy copy = lane.copies.front();
    lane.copies.pop_front();
    host_view(copy.to).copy_(host_view(copy.from));
    made++;
  }
}

void give_back(Card& card, int64_t done);

void waited(DeviceIndex card, StreamId stream, int64_t issued) {
  auto& lane = CARD_STATE[card].lanes[stream];
  lane.done = std::max(lane.done, issued);
  if (stream == 0) give_back(CARD_STATE[card], lane.done);
}

void synchronize(DeviceIndex card, StreamId stream) {
  auto& lane = CARD_STATE[card].lanes[stream];
  make_copies(card, stream, INT64_MAX);
  waited(card, stream, lane.issued);
}

// ---- memory ----

struct Header {
  size_t size;
  int64_t last_use; // of the default stream
  StreamId stream;
  DeviceIndex card;
  bool shared; // record_stream: the default stream uses it too
};

Header* header(const void* start) { return (Header*)((char*)start - 64); }

void give_back(Card& card, int64_t done) {
  std::vector<Freed> later;
  for (auto& freed : card.freed) {
    if (freed.when <= done) {
      card.live -= freed.size;
      std::free((char*)freed.start - 64);
    } else {
      later.push_back(freed);
    }
  }
  card.freed = std::move(later);
}

void release(void* start) {
  if (!start) return;
  std::lock_guard<std::recursive_mutex> held(LOCK);
  Header* h = header(start);
  Card& card = CARD_STATE[h->card];
  auto& main = card.lanes[0];
  if (h->stream != 0 && h->shared) {
    card.freed.push_back({start, h->size, main.issued});
    give_back(card, main.done);
    return;
  }
  if (h->stream != 0 && h->last_use > main.done) card.races++; // its stream may write there again at once
  card.live -= h->size;
  std::free((char*)start - 64);
}

void used(const Tensor& t) {
  if (!t.defined() || t.device().type() != CARD || !t.storage().data()) return;
  Header* h = header(t.storage().data());
  if (STREAM[h->card] == 0) h->last_use = CARD_STATE[h->card].lanes[0].issued + 1;
}

struct CardAllocator final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t n) override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    Card& card = CARD_STATE[CURRENT];
    c10::Device device(CARD, CURRENT);
    if (!n) return {nullptr, nullptr, &release, device};
    size_t size = (n + GRAIN - 1) / GRAIN * GRAIN;
    if (card.cap && card.live + (int64_t)size > card.cap) {
      synchronize(CURRENT, 0); // as CUDA's does before it gives up
      if (card.live + (int64_t)size > card.cap) {
        TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate ", size / 1048576.0,
          " MiB. Pretend card ", (int)CURRENT, " has ", card.cap / 1e9, " GB, of which ", card.live / 1e9, " GB are in use.");
      }
    }
    char* block = (char*)std::aligned_alloc(64, size + 64);
    *(Header*)block = {size, 0, STREAM[CURRENT], CURRENT, false};
    card.live += size;
    if (card.live > card.peak) {
      card.peak = card.live;
      card.imitated_at_peak = card.imitated;
    }
    return {block + 64, block + 64, &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t n) const override { std::memcpy(to, from, n); }
  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t = {0, 0}) override {}
  void recordStream(const c10::DataPtr& p, c10::Stream) override { if (p.get()) header(p.get())->shared = true; }
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(DeviceIndex i) override {
    c10::CachingDeviceAllocator::DeviceStats stats;
    for (auto* one : {&stats.allocated_bytes[0], &stats.reserved_bytes[0]}) {
      one->current = CARD_STATE[i].live;
      one->peak = CARD_STATE[i].peak;
    }
    return stats;
  }
  void resetAccumulatedStats(DeviceIndex) override {}
  void resetPeakStats(DeviceIndex i) override { CARD_STATE[i].peak = CARD_STATE[i].live; }
  std::pair<size_t, size_t> getMemoryInfo(DeviceIndex i) override {
    int64_t total = CARD_STATE[i].cap ? CARD_STATE[i].cap : (int64_t)24e9;
    return {(size_t)std::max<int64_t>(total - CARD_STATE[i].live, 0), (size_t)total};
  }
};
CardAllocator ALLOCATOR;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &ALLOCATOR);

// Page-locked memory: each block a power of two, kept for the next one when it is freed; above `exact` bytes (torch's
// pinned_max_cached_size_mb) neither.
struct PinnedAllocator final : at::HostAllocator {
  std::map<void*, size_t> blocks;
  std::multimap<size_t, void*> idle;
  int64_t live = 0, reserved = 0;
  size_t exact = SIZE_MAX;
  bool record_event(void*, void*, c10::Stream) override { return true; }
  void empty_cache() override { std::lock_guard<std::recursive_mutex> held(LOCK); empty(); }
  at::HostStats get_stats() override { return {}; }
  void reset_accumulated_stats() override {}
  void reset_peak_stats() override {}
  c10::DataPtr allocate(size_t n) override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    if (!n) return {nullptr, nullptr, &PinnedAllocator::free, at::Device(at::kCPU)};
    size_t size = 64;
    while (size < n) size *= 2;
    if (n > exact) size = (n + 63) / 64 * 64;
    void* block;
    if (auto found = idle.find(size); found != idle.end()) {
      block = found->second;
      idle.erase(found);
    } else {
      block = std::aligned_alloc(64, size);
      reserved += size;
    }
    blocks[block] = size;
    live += size;
    return {block, block, &PinnedAllocator::free, at::Device(at::kCPU)};
  }
  static void free(void* block);
  at::DeleterFnPtr raw_deleter() const override { return &PinnedAllocator::free; }
  void copy_data(void* to, const void* from, std::size_t n) const override { std::memcpy(to, from, n); }
  bool has(const void* p) {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    auto above = blocks.upper_bound((void*)p);
    if (above == blocks.begin()) return false;
    auto found = std::prev(above);
    return (char*)p < (char*)found->first + found->second;
  }
  void empty() {
    for (auto& [size, block] : idle) { reserved -= size; std::free(block); }
    idle.clear();
  }
};
PinnedAllocator PINNED;
void PinnedAllocator::free(void* block) {
  if (!block) return;
  std::lock_guard<std::recursive_mutex> held(LOCK);
  size_t size = PINNED.blocks[block];
  PINNED.blocks.erase(block);
  PINNED.live -= size;
  if (size > PINNED.exact) {
    PINNED.reserved -= size;
    std::free(block);
  } else {
    PINNED.idle.insert({size, block});
  }
}

// ---- what torch asks a device ----

struct Guard final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = CARD;
  c10::DeviceType type() const override { return CARD; }
  c10::Device exchangeDevice(c10::Device d) const override { c10::Device old(CARD, CURRENT); setDevice(d); return old; }
  c10::Device getDevice() const override { return c10::Device(CARD, CURRENT); }
  void setDevice(c10::Device d) const override { CURRENT = d.has_index() ? d.index() : 0; }
  void uncheckedSetDevice(c10::Device d) const noexcept override { CURRENT = d.has_index() ? d.index() : 0; }
  c10::Stream named(DeviceIndex i, StreamId id) const { return c10::Stream(c10::Stream::UNSAFE, c10::Device(CARD, i), id); }
  DeviceIndex at(c10::Device d) const { return d.has_index() ? d.index() : CURRENT; }
  c10::Stream getStream(c10::Device d) const override { return named(at(d), STREAM[at(d)]); }
  c10::Stream getDefaultStream(c10::Device d) const override { return named(at(d), 0); }
  c10::Stream getNewStream(c10::Device d, int) const override { return named(at(d), NEXT_STREAM++); }
  c10::Stream getStreamFromGlobalPool(c10::Device d, bool) const override { return named(at(d), NEXT_STREAM++); }
  c10::Stream exchangeStream(c10::Stream s) const override {
    auto old = named(s.device_index(), STREAM[s.device_index()]);
    STREAM[s.device_index()] = s.id();
    return old;
  }
  DeviceIndex deviceCount() const noexcept override { return CARDS; }
  bool queryStream(const c10::Stream& s) const override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    return CARD_STATE[s.device_index()].lanes[s.id()].copies.empty();
  }
  void synchronizeStream(const c10::Stream& s) const override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    ::synchronize(s.device_index(), s.id());
  }
  void synchronizeDevice(const DeviceIndex i) const override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    for (auto& [id, lane] : CARD_STATE[i].lanes) ::synchronize(i, id);
  }
  void record(void** event, const c10::Stream& s, const DeviceIndex, const c10::EventFlag) const override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    if (!*event) *event = new Event();
    auto& lane = CARD_STATE[s.device_index()].lanes[s.id()];
    int64_t made = COPIES_MADE[key(s.device_index(), s.id())];
    *(Event*)*event = {s.id(), s.device_index(), lane.issued, made + (int64_t)lane.copies.size(), true};
  }
  void block(void* event, const c10::Stream&) const override { reached(event, false); }
  void synchronizeEvent(void* event) const override { reached(event, true); }
  bool queryEvent(void* event) const override {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    auto* e = (Event*)event;
    return !e || COPIES_MADE[key(e->card, e->stream)] >= e->copies;
  }
  void destroyEvent(void* event, const DeviceIndex) const noexcept override { delete (Event*)event; }
  void recordDataPtrOnStream(const c10::DataPtr& p, const c10::Stream&) const override {
    if (p.get()) header(p.get())->shared = true;
  }
  void reached(void* event, bool by_host) const {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    auto* e = (Event*)event;
    if (!e || !e->recorded) return;
    make_copies(e->card, e->stream, e->copies);
    if (by_host) waited(e->card, e->stream, e->issued);
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks : public at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  DeviceIndex deviceCount() const override { return CARDS; }
  DeviceIndex getCurrentDevice() const override { return CURRENT; }
  void setCurrentDevice(DeviceIndex i) const override { CURRENT = i; }
  DeviceIndex exchangeDevice(DeviceIndex i) const override { auto old = CURRENT; CURRENT = i; return old; }
  DeviceIndex maybeExchangeDevice(DeviceIndex i) const override { return exchangeDevice(i); }
  bool isPinnedPtr(const void* p) const override { return PINNED.has(p); }
  at::Allocator* getPinnedMemoryAllocator() const override { return &PINNED; }
  const at::Generator& getDefaultGenerator(DeviceIndex) const override {
    static auto generator = at::detail::getDefaultCPUGenerator();
    return generator;
  }
  at::Device getDeviceFromPtr(void* p) const override { return at::Device(CARD, header(p)->card); }
  void resizePrivateUse1Bytes(const c10::Storage& s, size_t n) const override {
    c10::DeviceGuard on(s.device());
    auto fresh = ALLOCATOR.allocate(n);
    if (s.data()) std::memcpy(fresh.get(), s.data(), std::min(n, (size_t)s.nbytes()));
    s.unsafeGetStorageImpl()->set_data_ptr_noswap(std::move(fresh));
    s.unsafeGetStorageImpl()->set_nbytes(n);
  }
};
Hooks HOOKS;

// ---- operations ----

Tensor host_view(const Tensor& t) {
  if (!t.defined() || t.device().type() != CARD) return t;
  return at::from_blob((void*)t.const_data_ptr(), t.sizes(), t.strides(), t.options().device(at::kCPU).requires_grad(false));
}

Tensor on_card(const Tensor& t, c10::Device device) {
  c10::DeviceGuard on(device);
  Tensor made = at::detail::empty_strided_generic(t.sizes(), t.strides(), &ALLOCATOR,
    c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), t.scalar_type());
  if (t.numel()) host_view(made).copy_(t);
  return made;
}

void issued(c10::Device device) {
  auto& lane = CARD_STATE[device.index()].lanes[STREAM[device.index()]];
  lane.issued++;
  if (CHANCE() % 16 == 0) // a copy may be early; nobody can count on it
    for (auto& [id, other] : CARD_STATE[device.index()].lanes)
      if (id && !other.copies.empty()) make_copies(device.index(), id, COPIES_MADE[key(device.index(), id)] + 1);
}

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto count = op.schema().arguments().size();
  const auto first = stack->size() - count;
  std::optional<c10::Device> device;
  bool host = false;
  std::vector<std::pair<Tensor, Tensor>> given; // of the card, and as the host sees it
  auto look = [&](const Tensor& t) {
    if (!t.defined()) return t;
    if (t.device().type() != CARD) { host = host || t.dim() > 0; return t; }
    TORCH_CHECK(!device || *device == t.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
      *device, " and ", t.device(), "! (", op.schema().name(), ")");
    device = t.device();
    used(t);
    Tensor seen = t.numel() ? host_view(t) : at::empty_strided(t.sizes(), t.strides(), t.options().device(at::kCPU)); // may be resized
    given.emplace_back(t, seen);
    return seen;
  };
  std::unique_lock<std::recursive_mutex> held(LOCK);
  for (size_t i = 0; i < count; i++) {
    auto& value = (*stack)[first + i];
    if (value.isTensor()) {
      value = look(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& t : value.toTensorVector()) list.push_back(look(t));
      value = list;
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> list;
      for (std::optional<Tensor> t : value.toOptionalTensorList())
        list.push_back(t && t->defined() ? std::optional<Tensor>(look(*t)) : std::optional<Tensor>());
      value = list;
    } else if (value.isDevice()) {
      if (value.toDevice().type() == CARD) { device = value.toDevice(); value = c10::Device(at::kCPU); }
    }
  }
  const auto& name = op.schema().name();
  const bool indexes = name == "aten::index" || name == "aten::index_put_" || name == "aten::_index_put_impl_";
  TORCH_CHECK(!(device && host && !indexes), "Expected all tensors to be on the same device, but found at least two devices, ",
    *device, " and cpu! (", name, ")");
  if (!device || !device->has_index()) device = c10::Device(CARD, CURRENT);
  issued(*device);
  held.unlock();
  std::vector<const void*> before;
  for (auto& [card, seen] : given) before.push_back(seen.unsafeGetTensorImpl());
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  auto back = [&](const Tensor& t) -> Tensor {
    if (!t.defined() || t.device().type() == CARD) return t;
    for (auto& [card, seen] : given)
      if (seen.unsafeGetTensorImpl() == t.unsafeGetTensorImpl()) {
        if (!card.sizes().equals(t.sizes()) || card.const_data_ptr() != t.const_data_ptr()) { // it was resized
          at::native::resize_(card, t.sizes(), std::nullopt);
          host_view(card).copy_(t);
        }
        else if (!card.strides().equals(t.strides())) { // it was laid out anew
          card.unsafeGetTensorImpl()->set_sizes_and_strides(t.sizes(), t.strides());
        }
        return card;
      }
    return on_card(t, *device);
  };
  const auto returns = op.schema().returns().size();
  for (size_t i = stack->size() - returns; i < stack->size(); i++) {
    auto& value = (*stack)[i];
    if (value.isTensor()) {
      value = back(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<Tensor> list;
      for (const Tensor& t : value.toTensorVector()) list.push_back(back(t));
      value = list;
    }
  }
}

Tensor empty_memory_format(c10::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>,
    std::optional<at::Device> device, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  c10::DeviceGuard on(device.value_or(c10::Device(CARD, CURRENT)));
  return at::detail::empty_generic(size, &ALLOCATOR, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
    c10::dtype_or_default(type), format);
}

Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> type,
    std::optional<at::Layout>, std::optional<at::Device> device, std::optional<bool>) {
  c10::DeviceGuard on(device.value_or(c10::Device(CARD, CURRENT)));
  return at::detail::empty_strided_generic(size, stride, &ALLOCATOR, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
    c10::dtype_or_default(type));
}

void nothing_yet(const Tensor& to) { // NaN in every floating format; a large number elsewhere
  Tensor seen = host_view(to);
  if (seen.is_floating_point()) seen.fill_(NAN);
  else if (seen.scalar_type() != at::kBool) seen.fill_(77);
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool non_blocking) {
  std::lock_guard<std::recursive_mutex> held(LOCK);
  const bool to_card = to.device().type() == CARD, from_card = from.device().type() == CARD;
  const auto device = to_card ? to.device() : from.device();
  Card& card = CARD_STATE[device.index()];
  if (to_card && !from_card) card.to_card += from.nbytes();
  if (from_card && !to_card) card.from_card += from.nbytes();
  used(from);
  used(to);
  if (!to.numel()) return to;
  const auto stream = STREAM[device.index()];
  const bool late = non_blocking && to_card && !from_card && stream != 0;
  const bool read_early = non_blocking && from_card && !to_card && PINNED.has(to.const_data_ptr());
  if (late || read_early) {
    card.lanes[stream].issued++;
    nothing_yet(to);
    card.lanes[stream].copies.push_back({from, to});
    return to;
  }
  issued(device);
  if (from_card && !to_card) synchronize(device.index(), stream); // the host waits for what it reads
  host_view(to).copy_(host_view(from));
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  at::native::resize_(to, from.sizes(), std::nullopt);
  return copy_from(from, to, false);
}

at::Scalar item(const Tensor& t) {
  std::lock_guard<std::recursive_mutex> held(LOCK);
  synchronize(t.device().index(), STREAM[t.device().index()]);
  return host_view(t).item();
}

Tensor& set_storage(Tensor& t, at::Storage s, int64_t offset, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::cpu::set_(t, s, offset, size, stride);
}
Tensor as_strided(const Tensor& t, c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(t, size, stride, offset);
}
Tensor view(const Tensor& t, c10::IntArrayRef size) { return at::native::view(t, size); }
Tensor reshape_alias(const Tensor& t, c10::IntArrayRef size, c10::IntArrayRef stride) {
  return at::native::as_strided_tensorimpl(t, size, stride, t.storage_offset());
}
Tensor unfold(const Tensor& t, int64_t dimension, int64_t size, int64_t step) { return at::native::unfold(t, dimension, size, step); }
const Tensor& resize(const Tensor& t, c10::SymIntArrayRef size, std::optional<at::MemoryFormat> format) {
  return at::native::resize_(t, C10_AS_INTARRAYREF_SLOW(size), format);
}
void record_stream(Tensor& t, c10::Stream) {
  std::lock_guard<std::recursive_mutex> held(LOCK);
  if (t.storage().data()) header(t.storage().data())->shared = true;
}

struct Workspace {
  int64_t size;
  int64_t& imitated;
  c10::DataPtr block;
  explicit Workspace(int64_t size) : size(size), imitated(CARD_STATE[CURRENT].imitated) {
    imitated += size;
    try {
      block = ALLOCATOR.allocate(size);
    } catch (...) {
      imitated -= size;
      throw;
    }
  }
  ~Workspace() { imitated -= size; }
};

Tensor convolution(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias, c10::SymIntArrayRef stride,
    c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation, bool transposed, c10::SymIntArrayRef output_padding, c10::SymInt groups) {
  TORCH_CHECK(input.device() == weight.device() && (!bias || !bias->defined() || bias->device() == input.device()),
    "Input type (", input.device(), ") and weight type (", weight.device(), ") should be the same");
  {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    used(input);
    used(weight);
    issued(input.device());
  }
  c10::DeviceGuard on(input.device());
  Tensor made = at::convolution_symint(host_view(input), host_view(weight), bias ? std::optional<Tensor>(host_view(*bias)) : bias,
    stride, padding, dilation, transposed, output_padding, groups);
  // What the traces assume: a copy of all it touches, since cuDNN lays channels last.
  int64_t touched = made.nbytes() + input.nbytes() + weight.nbytes();
  Workspace workspace(std::min<int64_t>(CARD_STATE[CURRENT].workspace, touched));
  return on_card(made, input.device());
}

using Attended = std::tuple<Tensor, Tensor, Tensor, Tensor, c10::SymInt, c10::SymInt, Tensor, Tensor, Tensor>;
Attended attention(const Tensor& query, const Tensor& k, const Tensor& v, const std::optional<Tensor>& bias, double dropout,
    bool causal, bool, std::optional<double> scale) {
  for (auto* t : {&k, &v})
    TORCH_CHECK(t->device() == query.device(), "Expected query, key and value to be on the same device");
  TORCH_CHECK(!bias || !bias->defined() || bias->device() == query.device(), "Expected attn_mask to be on the same device as query");
  {
    std::lock_guard<std::recursive_mutex> held(LOCK);
    for (auto* t : {&query, &k, &v}) used(*t);
    issued(query.device());
  }
  Tensor made = at::scaled_dot_product_attention(host_view(query), host_view(k), host_view(v),
    bias ? std::optional<Tensor>(host_view(*bias)) : bias, dropout, causal, scale);
  Tensor out = on_card(made, query.device());
  return {out, Tensor(), Tensor(), Tensor(), c10::SymInt(query.size(2)), c10::SymInt(k.size(2)), Tensor(), Tensor(), Tensor()};
}

int64_t choose_attention(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, double, bool,
    std::optional<double>, bool) {
  auto& context = at::globalContext();
  const bool fused = context.userEnabledFlashSDP() || context.userEnabledMemEfficientSDP() || context.userEnabledCuDNNSDP();
  return (int64_t)(fused ? sdp::SDPBackend::overrideable : sdp::SDPBackend::math);
}

}  // namespace

namespace at::native {
REGISTER_PRIVATEUSE1_DISPATCH(_fused_sdp_choice_stub, &choose_attention);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>()); }
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty_memory_format);
  m.impl("empty_strided", &empty_strided);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  m.impl("_local_scalar_dense", &item);
  m.impl("set_.source_Storage_storage_offset", &set_storage);
  m.impl("as_strided", &as_strided);
  m.impl("view", &view);
  m.impl("_reshape_alias", &reshape_alias);
  m.impl("unfold", &unfold);
  m.impl("resize_", &resize);
  m.impl("record_stream", &record_stream);
  m.impl("convolution_overrideable", &convolution);
  m.impl("_scaled_dot_product_fused_attention_overrideable", &attention);
}

// ---- for the tests, by ctypes ----

extern "C" {
void pretend_init() {
  at::RegisterPrivateUse1HooksInterface(&HOOKS);
  at::setHostAllocator(CARD, &PINNED);
}
void pretend_pinned_exact(int64_t bytes) { PINNED.exact = bytes; }
void pretend_cap(int card, int64_t bytes) { CARD_STATE[card].cap = bytes; }
void pretend_workspace(int card, int64_t bytes) { CARD_STATE[card].workspace = bytes; }
void pretend_seed(int seed) { CHANCE.seed(seed); }
int64_t pretend_live(int card) { return CARD_STATE[card].live; }
int64_t pretend_peak(int card) { return CARD_STATE[card].peak; }
int64_t pretend_imitated(int card) { return CARD_STATE[card].imitated_at_peak; }
int64_t pretend_races(int card) { return CARD_STATE[card].races; }
int64_t pretend_to_card(int card) { return CARD_STATE[card].to_card; }
int64_t pretend_from_card(int card) { return CARD_STATE[card].from_card; }
void pretend_reset(int card) {
  Card& it = CARD_STATE[card];
  it.peak = it.live;
  it.imitated_at_peak = it.imitated;
  it.races = it.to_card = it.from_card = 0;
}
int64_t pretend_pinned_live() { return PINNED.live; }
int64_t pretend_pinned_reserved() { return PINNED.reserved; }
}

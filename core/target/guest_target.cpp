#include "core/target/guest_target.hpp"

#include "core/target/source_text.hpp"

namespace pcilens {

GuestTarget::GuestTarget(std::unique_ptr<Target> link, std::unique_ptr<Recording> recording,
                         const KernelLog& log)
    : recording_(std::move(recording)), log_(log), link_(std::move(link)) {
  refresh();
  link_->on_change([this] { refresh(); });
}

GuestTarget::~GuestTarget() {
  link_.reset();
}

void GuestTarget::refresh() {
  std::function<void()> listener;
  {
    const std::lock_guard lock(mutex_);
    auto fresh = std::make_shared<Snapshot>(*link_->snapshot());
    fresh->trace = recording_->path();
    fresh->complaints = complaints_;
    fresh->binding = binding_;
    fresh->binding_text = binding_text_;
    if (snapshot_) fresh->version = snapshot_->version + 1;
    snapshot_ = std::move(fresh);
    listener = listener_;
  }
  if (listener) listener();
  const std::lock_guard lock(other_mutex_);
  if (other_listener_) other_listener_();
}

void GuestTarget::complained(const KernelLog::Complaint& complaint) {
  recording_->finding("kernel", complaint.text);
  // Of a panic everybody hears as the guest's end.
  if (complaint.panic) return;
  {
    const std::lock_guard lock(mutex_);
    if (complaints_.size() == Snapshot::kMostComplaints) return;
    complaints_.push_back(complaint.text);
  }
  refresh();
}

void GuestTarget::bound(Binding binding, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    binding_ = binding;
    binding_text_ = std::move(text);
  }
  refresh();
}

// The modules that the guest runs were built from sources that may lie here.
void GuestTarget::code_at(std::uint64_t seq, Done<CodeView> view) {
  recording_->code(seq, [view = std::move(view)](Result<CodeView> code) {
    if (code) add_source(*code);
    view(std::move(code));
  });
}

void GuestTarget::also_on_change(std::function<void()> listener) {
  const std::lock_guard lock(other_mutex_);
  other_listener_ = std::move(listener);
}

std::shared_ptr<const Snapshot> GuestTarget::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void GuestTarget::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace pcilens

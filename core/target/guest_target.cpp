#include "core/target/guest_target.hpp"

namespace pcilens {

GuestTarget::GuestTarget(std::unique_ptr<Target> link, std::unique_ptr<Recording> recording)
    : recording_(std::move(recording)), link_(std::move(link)) {
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
    snapshot_ = std::move(fresh);
    listener = listener_;
  }
  if (listener) listener();
  const std::lock_guard lock(other_mutex_);
  if (other_listener_) other_listener_();
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

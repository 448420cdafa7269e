#include "faults.h"

#include <cstdlib>
#include <mutex>
#include <sstream>
#include <unordered_map>
#include <vector>

#include "settings.h"

namespace cudasim {
namespace {

struct Order {
  std::string name;
  long nth;
  int code;
};

struct Orders {
  std::mutex lock;
  std::vector<Order> orders;
  std::unordered_map<std::string, long> calls;
};

bool parse(const std::string& specification, std::vector<Order>* orders) {
  std::istringstream stream(specification);
  for (std::string item; std::getline(stream, item, ',');) {
    std::istringstream fields(item);
    Order order;
    char colon = 0;
    if (!std::getline(fields, order.name, ':') || !(fields >> order.nth >> colon >> order.code) || colon != ':' || !fields.eof()) {
      return false;
    }
    orders->push_back(order);
  }
  return true;
}

Orders& standing() {
  static Orders& instance = *[] {
    auto* created = new Orders;
    const char* specification = std::getenv("CUDASIM_FAIL");
    if (specification && !parse(specification, &created->orders)) say("CUDASIM_FAIL is malformed: %s", specification);
    return created;
  }();
  return instance;
}

}  // namespace

bool order_faults(const std::string& specification) {
  std::vector<Order> orders;
  if (!parse(specification, &orders)) return false;
  std::lock_guard<std::mutex> guard(standing().lock);
  standing().orders = std::move(orders);
  standing().calls.clear();
  return true;
}

int fault(const std::string& name) {
  std::lock_guard<std::mutex> guard(standing().lock);
  if (standing().orders.empty()) return 0;
  long call = ++standing().calls[name];
  for (const Order& order : standing().orders) {
    if (order.name == name && (order.nth == 0 || order.nth == call)) return order.code;
  }
  return 0;
}

bool is_sticky(int code) {
  // ECC, NVLink; illegal address, timeout, assert; the hardware's own exceptions
  return code == 214 || code == 220 || code == 700 || code == 702 || code == 710 || (code >= 714 && code <= 719);
}

}  // namespace cudasim

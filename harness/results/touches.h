// What a kind of access touches.
#pragma once

namespace flash_steps {

/// Which memory an access goes to, and so which of the counters it has: wavefronts in shared memory, sectors in global.
enum class Touches { shared, global, both };

}  // namespace flash_steps

// The catalogue: which mistakes are made in a kernel file, one at a time.
//
// Waits, barriers, commits and places in shared memory are found by the word in any kernel. All other mistakes replace
// a piece of text that must be there in each kernel of a range, or the catalogue says that it no longer fits.
#pragma once

#include <string>
#include <vector>

#include "mutants/mutant.h"

namespace flash_steps::mutants {

/// The names of the mistakes, in the order of the catalogue:
///
///   wait-weakened       cp_async_wait<N> waits for one group less
///   wait-removed
///   barrier-weakened    the warps no longer wait for each other, only the lanes of each
///   barrier-removed     of the CTA or of a warp
///   commit-removed
///   swizzle-one-side    one place in shared memory is reached with the swizzle of the others undone
///   row-off-by-one      one address is that of the next row
///   rescale-dropped     O or the row sum does not shrink when the maximum grows
///   max-not-reduced     the maximum is not that of all four lanes of a row
///   max-of-half-the-keys  it is that of the first half of the block's keys
///   max-starts-at-0     before the first block it is 0 and not −∞
///   max-clamped-at-0    it is never below 0
///   running-max-dropped it is that of the block alone
///   growth-missed       O and the row sum do not shrink although a maximum grew a lot
///   sum-not-reduced     the sum is not that of all four lanes of a row
///   scale-twice         the softmax scale is applied twice
///   last-block-skipped  the last KV block is not attended to, or its K is not copied
///   head-offset         a head begins in the middle of the one before
///   batch-offset        a sequence begins before the end of the one before
///   row-offset          the query tiles of a head overlap
///   offset-32-bit       an offset is computed in 32 bits: wrong beyond 2³¹ elements
///   smem-bytes          a CTA asks for more or less shared memory than it uses
///   p-order             P is packed in the wrong order
///
/// and of the kernels with Hopper's instructions alone:
///
///   parity-wrong        a wait for the other phase of an mbarrier
///   bytes-wrong         an mbarrier expects too few or too many bytes, or none
///   arrivals-wrong      an mbarrier expects one arrival more or less
///   release-removed     nobody says that a stage is empty
///   fence-removed       of the products, of the proxies, or of new mbarriers
///   product-not-awaited a wait for products is gone, or waits for one group less
///   store-not-awaited   a wait for stores of O is gone
///   descriptor-wrong    an operand is read from elsewhere
///   registers-wrong     the register budget does not add up
///   not-elected         all lanes of a warp do what one should do
///   box-wrong           a box of another block, head or sequence
///
/// and of the primer's kernels alone:
///
///   product-incomplete  a product leaves a factor out
///   state-forgotten     what an earlier iteration left in the workspace is not read
///   workspace-shared    two heads take the same place in the workspace
///   division-dropped    P is not divided by the row sum
///
/// and of the chapter of variants alone:
///
///   row-beyond-the-end  a row that is not there is read or stored
///   mask-off-by-one     a row sees one key more or less
///   mask-in-other-block the block that needs the mask does not get it
///   mask-aligned-top-left  the first query, and not the last, has the place of a key
///   guard-dropped       a row that sees no key is computed as any other
///   scale-of-128        1/√128 for heads of any length
///   panels-of-other-width  a tile is cut where its rows end
///   group-of-the-next-head  K and V of another head
///   neighbours-length   a sequence is as long as another one
///   logarithm-wrong     of the row sum: in base 2, without the maximum, of another head
///   dropout-wrong       another weight is dropped, or a kept one has another size
///
/// and of the backward pass alone:
///
///   row-term-wrong      D is left out or not the sum that it should be, or L is of another base
///   p-for-ds            dK or dQ is added up with P in place of dS
///   sum-not-cleared     what is added to in memory holds what was there before
///   sum-stored          a part of a sum takes the place of the others
///   sum-incomplete      the part of other warps is left out
///   lanes-at-one-address  two lanes add to one number of a sum
const std::vector<std::string>& mistakes();

/// All mutants of a kernel, in the order of the catalogue and then of the lines. Its chapter and the number in
/// front of its name say which texts it must have. Throws CatalogueError.
std::vector<Mutant> mutants_of(const std::string& kernel, const std::string& text);

/// The kernel's file as it is.
Mutant control_of(const std::string& kernel, const std::string& text);

}  // namespace flash_steps::mutants

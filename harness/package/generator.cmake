# SPDX-License-Identifier: MIT
# Read by cpack once per generator: a .deb belongs to /usr, a .tar.gz to wherever it is unpacked.
if(CPACK_GENERATOR STREQUAL "DEB")
	set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
else()
	set(CPACK_PACKAGING_INSTALL_PREFIX "")
	set(CPACK_STRIP_FILES ON) # debian.cmake does it the way Debian wants it
endif()

# Times in a package are the commit's, not the clock's: packed twice, it is the same bytes. Without git they are what `git archive` put
# into commit.txt; without either, the changelog's.
if("$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
	set(date "")
	if(CPACK_ENOMEM_GIT)
		# Not of a repository that merely contains this source, as in commit.cmake.
		execute_process(COMMAND ${CPACK_ENOMEM_GIT} -C ${CPACK_ENOMEM_SOURCE} rev-parse --show-prefix HEAD OUTPUT_VARIABLE told
			RESULT_VARIABLE failed ERROR_QUIET)
		if(failed EQUAL 0 AND told MATCHES "^\n([0-9a-f]+)\n$")
			execute_process(COMMAND ${CPACK_ENOMEM_GIT} -C ${CPACK_ENOMEM_SOURCE} show -s --format=%ct ${CMAKE_MATCH_1} OUTPUT_VARIABLE date
				OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
		endif()
	endif()
	if(NOT date MATCHES "^[0-9]+$")
		file(STRINGS ${CPACK_ENOMEM_SOURCE}/harness/package/commit.txt date REGEX "^[0-9]+$")
	endif()
	if(NOT date MATCHES "^[0-9]+$")
		set(date 1795770000) # of changelog.in
	endif()
	set(ENV{SOURCE_DATE_EPOCH} ${date})
endif()

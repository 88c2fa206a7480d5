# SPDX-License-Identifier: MIT
# Packages, by `cpack --preset release` after the release build: a .deb as Debian wants it, and a relocatable .tar.gz of the same
# files. The source, by `cmake --build --preset release --target dist`: the same bytes for the same commit, wherever it is made.
set(ENOMEM_MAINTAINER "enomem developers <maintainers@enomem.invalid>" CACHE STRING "Who answers for packages built from this tree")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME enomem)
set(CPACK_PACKAGE_VENDOR "enomem developers")
set(CPACK_PACKAGE_CONTACT "${ENOMEM_MAINTAINER}")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/generator.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Libraries are added by debian.cmake. What the linker cannot see: mkswap(8) and unshare(1) go into guests; libdw is loaded when a backtrace is wanted; guests need the rest.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "util-linux (>= 2.36)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libdw1, qemu-system-x86, xz-utils, zstd, lz4")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "jq, bash-completion")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "reproduce each way Linux refuses memory and prove which limit did")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Makes Linux say \"Cannot allocate memory\" in every way it can: by resource
limits, control groups, commit accounting, maps, tasks, huge pages, kernel
memory and the OOM killer. Each scenario is run without the limit, with it,
and with every documented fix; it passes only if the limit that refused is
proved by the kernel's own numbers at that moment.
.
\"enomem why\" does the same for any program: which limit refused it what, and
by how much. What would change the machine runs in throw-away QEMU guests.")

find_program(GIT git)
# Packages: the same bytes for the same build, because generator.cmake sets SOURCE_DATE_EPOCH where the environment does not.
set(CPACK_ENOMEM_GIT ${GIT})
set(CPACK_ENOMEM_SOURCE ${CMAKE_SOURCE_DIR})
if(GIT AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
	set(tarball ${CMAKE_BINARY_DIR}/enomem-${PROJECT_VERSION}.tar.gz)
	add_custom_target(dist COMMAND ${GIT} -C ${CMAKE_SOURCE_DIR} archive --format=tar.gz --prefix=enomem-${PROJECT_VERSION}/
		-o ${tarball} HEAD COMMENT "${tarball}" VERBATIM)
endif()
# For whoever calls package_source all the same: nothing that was built.
set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_IGNORE_FILES "/build/" "/\\.git/" "/\\.cache/")
set(ENOMEM_DEB_VERSION ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${CMAKE_BINARY_DIR}/debian/changelog @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright ${CMAKE_BINARY_DIR}/debian/copyright COPYONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/lintian-overrides ${CMAKE_BINARY_DIR}/debian/lintian-overrides COPYONLY)
set(CPACK_ENOMEM_DEBIAN ${CMAKE_BINARY_DIR}/debian)
include(CPack)

"""Headings of the ledger's tables in the languages of the page."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "outages": ("Sự cố mất kết nối", "Outages"),
        "availability.link": ("Tỉ lệ sẵn sàng theo đường truyền", "Availability by link"),
        "availability.agency": ("Tỉ lệ sẵn sàng theo cơ quan", "Availability by agency"),
        "availability.provider": ("Tỉ lệ sẵn sàng theo nhà cung cấp", "Availability by provider"),
        "availability.kind": ("Tỉ lệ sẵn sàng theo loại cơ quan", "Availability by kind"),
        "availability.total": ("Tỉ lệ sẵn sàng toàn tỉnh", "Availability of the province"),
        "spans": ("Diễn biến", "Account"),
        "maintenance": ("Bảo trì", "Maintenance"),
        "reclassifications": ("Điều chỉnh phân loại", "Reclassifications"),
        "moved": ("Chuyển", "Moved"),
        "entered": ("Ghi lúc", "Entered"),
        "agency": ("Cơ quan", "Agency"),
        "link": ("Đường truyền", "Link"),
        "name": ("Tên", "Name"),
        "links": ("Số đường", "Links"),
        "start": ("Bắt đầu", "Start"),
        "end": ("Kết thúc", "End"),
        "open": ("chưa kết thúc", "not over"),
        "duration": ("Thời lượng", "Duration"),
        "cause": ("Nguyên nhân", "Cause"),
        "group": ("Cùng lúc", "At once"),
        "evidence": ("Bằng chứng", "Evidence"),
        "state": ("Trạng thái", "State"),
        "measured": ("Đo được", "As measured"),
        "agreed": ("Thỏa thuận", "As agreed"),
        "target": ("Cam kết", "Target"),
        "coverage": ("Độ phủ", "Coverage"),
        "outages.count": ("Sự cố", "Outages"),
        "down": ("Mất kết nối", "Down"),
        "unreachable": ("Không với tới", "Unreachable"),
        "unobserved": ("Không quan trắc", "Unobserved"),
        "id": ("Mã", "Id"),
        "covers": ("Phạm vi", "Covers"),
        "everything": ("toàn tỉnh", "everything"),
        "reason": ("Lý do", "Reason"),
        "author": ("Người nhập", "Author"),
        "hours.all": ("mọi giờ", "all hours"),
        "hours.business": ("giờ làm việc", "working hours"),
        "hours.other": ("ngoài giờ làm việc", "other hours"),
        "cause.circuit": ("đường truyền", "circuit"),
        "cause.power": ("nguồn điện hoặc thiết bị", "power or router"),
        "cause.beyond": ("phía sau đường truyền", "beyond the uplink"),
        "cause.upstream": ("tuyến trên", "upstream"),
        "cause.unknown": ("chưa rõ", "unknown"),
        "state.up": ("hoạt động", "up"),
        "state.degraded": ("suy giảm", "degraded"),
        "state.down": ("mất kết nối", "down"),
        "state.unknown": ("chưa rõ", "unknown"),
        "state.unreachable": ("không với tới", "unreachable"),
        "state.maintenance": ("bảo trì", "maintenance"),
        "state.unobserved": ("không quan trắc được", "unobserved"),
    }
)
"""Vietnamese and English."""


def heading(name: str, language: str) -> str:
    """Return a heading in `language`; every language but Vietnamese is answered in English."""
    vietnamese, english = _HEADINGS[name]
    return vietnamese if language == "vi" else english

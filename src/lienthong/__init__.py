"""Liên Thông: an agency's database becomes shared national data.

The map, in the order in which data flows:

* ``errors``       what is refused, why, and who can act
* ``clock``        time as an argument
* ``deadlines``    due dates, working days                         (thời hạn)
* ``dictionary``   what every field means                          (từ điển dữ liệu dùng chung)
* ``sources``      what arrived, exactly                           (dữ liệu nguồn)
* ``standardise``  the same, in the words of the dictionary        (chuẩn hoá)
* ``check``        what is wrong with it                           (kiểm tra chất lượng)
* ``centre``       what we keep                                    (Trung tâm dữ liệu)
* ``exchange``     who may see which elements for what             (kết nối, chia sẻ dữ liệu)
* ``oversight``    who owes what by when                           (theo dõi, đánh giá)
* ``pipeline``     the order of the stages, nothing else
* ``adapters``     all drivers
* ``wiring``       settings → adapters → stages
* ``gateway``      face: HTTP between agencies
* ``portal``       face: pages for people
* ``cli``          face: the command line
* ``testing``      generators, fakes, contract suites, a synthetic agency
"""

__version__ = "0.1.0"

<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>PoseScope</name>
    <message>
        <source>1 note</source>
        <translation>1 条提示</translation>
    </message>
    <message>
        <source>{n} notes</source>
        <translation>{n} 条提示</translation>
    </message>
    <message>
        <source>Everything is all right; {notes}.</source>
        <translation>一切正常；{notes}。</translation>
    </message>
    <message>
        <source>Everything is all right.</source>
        <translation>一切正常。</translation>
    </message>
    <message>
        <source>1 problem</source>
        <translation>1 个问题</translation>
    </message>
    <message>
        <source>{n} problems</source>
        <translation>{n} 个问题</translation>
    </message>
    <message>
        <source>{problems} and {notes}.</source>
        <translation>{problems}，{notes}。</translation>
    </message>
    <message>
        <source>{problems}.</source>
        <translation>{problems}。</translation>
    </message>
    <message>
        <source>Argmax</source>
        <translation>Argmax</translation>
    </message>
    <message>
        <source>read the heatmaps with argmax</source>
        <translation>用 argmax 读取热力图</translation>
    </message>
    <message>
        <source>IPR</source>
        <translation>IPR</translation>
    </message>
    <message>
        <source>read them with integral pose regression</source>
        <translation>用积分姿态回归（IPR）读取</translation>
    </message>
    <message>
        <source>Debiased IPR</source>
        <translation>去偏 IPR</translation>
    </message>
    <message>
        <source>read them with debiased IPR</source>
        <translation>用去偏 IPR 读取</translation>
    </message>
    <message>
        <source>Argmax ¼</source>
        <translation>Argmax ¼</translation>
    </message>
    <message>
        <source>the maximum, a quarter of a cell to the higher neighbour</source>
        <translation>取最大值，再向较高的邻格偏移四分之一格</translation>
    </message>
    <message>
        <source>DARK</source>
        <translation>DARK</translation>
    </message>
    <message>
        <source>a Taylor step on the logarithm of the map</source>
        <translation>在热力图的对数上做一步泰勒展开</translation>
    </message>
    <message>
        <source>Regression</source>
        <translation>回归</translation>
    </message>
    <message>
        <source>the network’s own, which reads no heatmap</source>
        <translation>网络自带的回归，不读热力图</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>start or finish a recording</source>
        <translation>开始或结束录制</translation>
    </message>
    <message>
        <source>Save the last seconds</source>
        <translation>保存最近几秒</translation>
    </message>
    <message>
        <source>though nobody pressed record</source>
        <translation>即使没有按下录制</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>report on every decoder over the last seconds</source>
        <translation>生成最近几秒内所有解码器的报告</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>hold the picture, go on</source>
        <translation>停住画面，或继续播放</translation>
    </message>
    <message>
        <source>Step back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>hold a file, one picture back</source>
        <translation>暂停文件并后退一帧</translation>
    </message>
    <message>
        <source>Step forward</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>hold a file, one picture forward</source>
        <translation>暂停文件并前进一帧</translation>
    </message>
    <message>
        <source>Mirror</source>
        <translation>镜像</translation>
    </message>
    <message>
        <source>show the picture as in a looking glass</source>
        <translation>像照镜子一样显示画面</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>save the annotated picture</source>
        <translation>保存带标注的画面</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>picture only, on the whole screen (Esc ends it)</source>
        <translation>只显示画面，占满屏幕（Esc 退出）</translation>
    </message>
    <message>
        <source>Open …</source>
        <translation>打开 …</translation>
    </message>
    <message>
        <source>choose a camera, file, folder or stream</source>
        <translation>选择摄像头、文件、文件夹或网络流</translation>
    </message>
    <message>
        <source>Show the recordings</source>
        <translation>打开录制文件夹</translation>
    </message>
    <message>
        <source>open their folder</source>
        <translation>在文件管理器中显示录制的文件</translation>
    </message>
    <message>
        <source>Ghosts</source>
        <translation>叠影</translation>
    </message>
    <message>
        <source>draw the other decoders beside the chosen one</source>
        <translation>在当前解码器旁同时画出其他解码器</translation>
    </message>
    <message>
        <source>Arrows</source>
        <translation>箭头</translation>
    </message>
    <message>
        <source>from ghost to chosen, magnified: × 1, × 4, × 16, off</source>
        <translation>从叠影指向当前解码器，放大 × 1、× 4、× 16，或关闭</translation>
    </message>
    <message>
        <source>Heatmap</source>
        <translation>热力图</translation>
    </message>
    <message>
        <source>over the picture: one joint, all joints, off</source>
        <translation>叠加在画面上：单个关节、全部关节，或关闭</translation>
    </message>
    <message>
        <source>Split view</source>
        <translation>分屏对比</translation>
    </message>
    <message>
        <source>two decoders, with a divider to drag</source>
        <translation>两个解码器，中间有可拖动的分隔线</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>平滑</translation>
    </message>
    <message>
        <source>smooth the points with the 1 € filter</source>
        <translation>用 1 € 滤波器平滑关节点</translation>
    </message>
    <message>
        <source>Hold still</source>
        <translation>静止测量</translation>
    </message>
    <message>
        <source>measure jitter and bias of every decoder for 5 s</source>
        <translation>用 5 秒测出每个解码器的抖动和偏差</translation>
    </message>
    <message>
        <source>Camera’s delay …</source>
        <translation>摄像头延迟 …</translation>
    </message>
    <message>
        <source>measure it, glass to glass</source>
        <translation>端到端测量（glass-to-glass）</translation>
    </message>
    <message>
        <source>Copy the numbers</source>
        <translation>复制数值</translation>
    </message>
    <message>
        <source>jitter, bias and latency, as text</source>
        <translation>以文本形式复制抖动、偏差和延迟</translation>
    </message>
    <message>
        <source>β laboratory</source>
        <translation>β 实验室</translation>
    </message>
    <message>
        <source>a synthetic heatmap that explains the bias</source>
        <translation>用合成热力图解释偏差的来源</translation>
    </message>
    <message>
        <source>Guided tour</source>
        <translation>功能导览</translation>
    </message>
    <message>
        <source>the decoders and meters in five steps</source>
        <translation>五步了解解码器和各项指标</translation>
    </message>
    <message>
        <source>Is everything all right?</source>
        <translation>环境自检</translation>
    </message>
    <message>
        <source>examine this computer</source>
        <translation>检查这台电脑的运行环境</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>帮助</translation>
    </message>
    <message>
        <source>show this list</source>
        <translation>显示此列表</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>close the window; a recording is finished first</source>
        <translation>关闭窗口；会先完成正在进行的录制</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>The language changes when PoseScope is started the next time.</source>
        <translation>语言将在下次启动 PoseScope 时更改。</translation>
    </message>
    <message>
        <source>The settings so far are kept as {path}</source>
        <translation>此前的设置已另存为 {path}</translation>
    </message>
    <message>
        <source>The camera of last time is not connected; this is “{name}”.</source>
        <translation>上次使用的摄像头未连接；当前为“{name}”。</translation>
    </message>
    <message>
        <source>No camera was found, so this is the shipped clip of a rendered person. Press Ctrl+O to open another source.</source>
        <translation>未找到摄像头，因此显示随附的渲染人物视频。按 Ctrl+O 可打开其他输入源。</translation>
    </message>
    <message>
        <source>latency</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>jitter</source>
        <translation>抖动</translation>
    </message>
    <message>
        <source>bias</source>
        <translation>偏差</translation>
    </message>
    <message>
        <source>What was copied or saved</source>
        <translation>已复制或已保存的内容</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>复制(&amp;C)</translation>
    </message>
    <message>
        <source>Copy the picture, and the numbers for a spreadsheet</source>
        <translation>复制图片，以及可粘贴到表格的数值</translation>
    </message>
    <message>
        <source>Save &amp;PNG</source>
        <translation>保存 PNG(&amp;P)</translation>
    </message>
    <message>
        <source>Save the card as a picture</source>
        <translation>将卡片保存为图片</translation>
    </message>
    <message>
        <source>Save CS&amp;V</source>
        <translation>保存 CSV(&amp;V)</translation>
    </message>
    <message>
        <source>Save the numbers as a table</source>
        <translation>将数值保存为表格</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Copied: the picture, and the numbers for a spreadsheet.</source>
        <translation>已复制：图片，以及可粘贴到表格的数值。</translation>
    </message>
    <message>
        <source>Saved “{name}” in {folder}</source>
        <translation>已将“{name}”保存到 {folder}</translation>
    </message>
    <message>
        <source>PROBLEMS</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>NOTES</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>ALL RIGHT</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>结论</translation>
    </message>
    <message>
        <source>&amp;Copy all</source>
        <translation>全部复制(&amp;C)</translation>
    </message>
    <message>
        <source>The findings and the versions, for whoever helps</source>
        <translation>检查结果和版本信息，便于他人协助排查</translation>
    </message>
    <message>
        <source>Examine a&amp;gain</source>
        <translation>重新检查(&amp;G)</translation>
    </message>
    <message>
        <source>Examining this computer …</source>
        <translation>正在检查这台电脑 …</translation>
    </message>
    <message>
        <source>{n} of {count}: {subject}</source>
        <translation>{n}/{count}：{subject}</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy {what}</source>
        <translation>复制 {what}</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>The comparison is still being made.</source>
        <translation>对比报告仍在生成中。</translation>
    </message>
    <message>
        <source>There is nothing to compare yet: no picture has been read.</source>
        <translation>还没有可对比的内容：尚未读取任何画面。</translation>
    </message>
    <message>
        <source>Comparing every decoder on the last {seconds:.2g} seconds …</source>
        <translation>正在对比最近 {seconds:.2g} 秒内的所有解码器 …</translation>
    </message>
    <message>
        <source>The comparison could not be made: {error}.</source>
        <translation>无法完成对比：{error}。</translation>
    </message>
    <message>
        <source>Open the report</source>
        <translation>打开报告</translation>
    </message>
    <message>
        <source>No program opens pages here. The report is {path}</source>
        <translation>没有可打开网页的程序。报告位于 {path}</translation>
    </message>
    <message>
        <source>, since {what} was changed</source>
        <translation>，自{what}更改之后</translation>
    </message>
    <message>
        <source>Compared on {seconds:.1f} s ({frames} frames{since}): {path}</source>
        <translation>已对比 {seconds:.1f} 秒（{frames} 帧{since}）：{path}</translation>
    </message>
    <message>
        <source>The cell of the heatmap's maximum: at most half a cell off, but it jumps from cell to cell.</source>
        <translation>取热力图最大值所在的格：最多偏半格，但会在格与格之间跳动。</translation>
    </message>
    <message>
        <source>The maximum, a quarter of a cell toward the higher neighbour.</source>
        <translation>取最大值，再向较高的邻格偏移四分之一格。</translation>
    </message>
    <message>
        <source>A Taylor step on the logarithm of the smoothed heatmap (DARK, CVPR 2020).</source>
        <translation>在平滑后热力图的对数上做一步泰勒展开（DARK，CVPR 2020）。</translation>
    </message>
    <message>
        <source>Integral pose regression (soft-argmax): smooth, but pulled to the middle of the crop.</source>
        <translation>积分姿态回归（soft-argmax）：平滑，但会被拉向裁剪区域的中心。</translation>
    </message>
    <message>
        <source>Integral pose regression with the pull of the background removed (ICCV 2021).</source>
        <translation>去除背景拉力的积分姿态回归（ICCV 2021）。</translation>
    </message>
    <message>
        <source>The network's own regression, which reads no heatmap.</source>
        <translation>网络自带的回归，不读热力图。</translation>
    </message>
    <message>
        <source>{explained} Key {key}.</source>
        <translation>{explained}快捷键 {key}。</translation>
    </message>
    <message>
        <source>Decoder {name}</source>
        <translation>解码器 {name}</translation>
    </message>
    <message>
        <source>Other decoders</source>
        <translation>其他解码器</translation>
    </message>
    <message>
        <source>Other ways to read the same heatmap</source>
        <translation>读取同一张热力图的其他方法</translation>
    </message>
    <message>
        <source>Others</source>
        <translation>其他</translation>
    </message>
    <message>
        <source>beta</source>
        <translation>β</translation>
    </message>
    <message>
        <source>β of IPR and debiased IPR: how sharply the softmax picks the peak.
Small: a mean over the whole map, pulled to its middle. Large: nearly the maximum itself.
A double click brings it back to 10.</source>
        <translation>IPR 和去偏 IPR 的 β：softmax 挑选峰值的锐利程度。
小：近似整张图的均值，被拉向图的中心。大：接近最大值本身。
双击恢复为 10。</translation>
    </message>
    <message>
        <source>MediaPipe’s own detector, tracking and smoothing on
the same networks, from picture to points. It gives
no heatmaps, so there is nothing to decode.</source>
        <translation>MediaPipe 用自己的检测、跟踪和平滑，在相同的网络上
从画面直接得到关节点。它不输出热力图，
因此没有可供解码的内容。</translation>
    </message>
    <message>
        <source>Jitter and bias of every decoder</source>
        <translation>每个解码器的抖动和偏差</translation>
    </message>
    <message>
        <source>Jitter: how much the joints tremble, steady motion left out. Bias: distance to the peak of the heatmap.
Both are root mean squares over the visible joints; bars are logarithmic, in pixels of the source.
A thin bar beneath is the jitter after smoothing.
Click a row, or press up and down, to choose the decoder.</source>
        <translation>抖动：关节颤动的幅度，不计平稳运动。偏差：到热力图峰值的距离。
两者都是可见关节的均方根；条形为对数刻度，单位为源图像像素。
下方的细条是平滑后的抖动。
点击某一行，或按上下方向键，可选择解码器。</translation>
    </message>
    <message>
        <source>{decoder}: jitter {jitter}, bias {bias}.</source>
        <translation>{decoder}：抖动 {jitter}，偏差 {bias}。</translation>
    </message>
    <message>
        <source>In {unit}. {rows}</source>
        <translation>单位 {unit}。{rows}</translation>
    </message>
    <message>
        <source>no heatmaps</source>
        <translation>无热力图</translation>
    </message>
    <message>
        <source>Result of the delay measurement</source>
        <translation>延迟测量结果</translation>
    </message>
    <message>
        <source>My camera’s delay, glass to glass</source>
        <translation>摄像头端到端延迟（glass-to-glass）</translation>
    </message>
    <message>
        <source>{flips}  ·  display {display}  ·  pattern in {pattern}</source>
        <translation>{flips}  ·  显示器 {display}  ·  图案占{pattern}</translation>
    </message>
    <message>
        <source>median, from a change in front of the camera to its picture in this window</source>
        <translation>中位数：从摄像头前发生变化，到本窗口显示出该画面</translation>
    </message>
    <message>
        <source>90 % between {p5:.0f} and {p95:.0f} ms  ·  σ {sd:.1f} ms</source>
        <translation>90 % 介于 {p5:.0f} 与 {p95:.0f} ms 之间  ·  σ {sd:.1f} ms</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Display</source>
        <translation>显示器</translation>
    </message>
    <message>
        <source>Camera and display</source>
        <translation>摄像头与显示器</translation>
    </message>
    <message>
        <source>Behind the mark: the wait for the camera’s next picture, {ms:.0f} ms.</source>
        <translation>刻线之后：等待摄像头下一帧的时间，{ms:.0f} ms。</translation>
    </message>
    <message>
        <source> Hatched: estimated from the refresh rate.</source>
        <translation>斜线部分：根据刷新率估计。</translation>
    </message>
    <message>
        <source>The median lies between {low:.0f} and {high:.0f} ms (95 %). Pictures that come only every {interval:.1f} ms make σ {sd:.1f} ms by themselves.</source>
        <translation>中位数介于 {low:.0f} 与 {high:.0f} ms 之间（95 %）。仅每 {interval:.1f} ms 一帧这一点就会带来 σ {sd:.1f} ms。</translation>
    </message>
    <message>
        <source>Counted from the end of one paint to the end of another: the way from a paint to the light is in it once.</source>
        <translation>从一次绘制结束计到另一次绘制结束：其中恰好包含一次从绘制到发光的过程。</translation>
    </message>
    <message>
        <source>My camera’s delay</source>
        <translation>摄像头延迟</translation>
    </message>
    <message>
        <source>Open another source …</source>
        <translation>打开其他输入源 …</translation>
    </message>
    <message>
        <source>Watch the shipped clip</source>
        <translation>观看随附的视频</translation>
    </message>
    <message>
        <source>Point the camera at this window, so that the window fills as much of its picture as it can. Black and white fields will swap here, and PoseScope times how long each swap takes through screen, camera and pose network until this window shows it. That takes less than a minute; a recording goes on meanwhile.</source>
        <translation>请将摄像头对准本窗口，使窗口尽可能占满它的画面。这里的黑白方块会交替翻转，PoseScope 会测量每次翻转经过屏幕、摄像头和姿态网络、直到在本窗口显示出来所需的时间。整个过程不到一分钟，期间录制照常进行。</translation>
    </message>
    <message>
        <source>⚠  Flashing light: large fields swap about twice a second, never more than 2.5 times. Do not start if you, or anybody who sees this screen, may be sensitive to it.</source>
        <translation>⚠  闪光警告：大面积方块每秒约翻转两次，最多不超过 2.5 次。如果您或任何能看到此屏幕的人可能对闪光敏感，请不要开始。</translation>
    </message>
    <message>
        <source>Measure my camera’s delay</source>
        <translation>测量摄像头延迟</translation>
    </message>
    <message>
        <source>What to do</source>
        <translation>操作提示</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>开始(&amp;S)</translation>
    </message>
    <message>
        <source>No figure this time</source>
        <translation>这次没有得到结果</translation>
    </message>
    <message>
        <source>Why there is no figure</source>
        <translation>没有得到结果的原因</translation>
    </message>
    <message>
        <source>&amp;Try again</source>
        <translation>重试(&amp;T)</translation>
    </message>
    <message>
        <source>Leave (Esc)</source>
        <translation>离开 (Esc)</translation>
    </message>
    <message>
        <source>Esc leaves  ·  F full screen</source>
        <translation>Esc 离开  ·  F 全屏</translation>
    </message>
    <message>
        <source>LOOKING FOR THE PATTERN</source>
        <translation>正在寻找图案</translation>
    </message>
    <message>
        <source>{n} of {count} flips seen in a row</source>
        <translation>连续看到 {n}/{count} 次翻转</translation>
    </message>
    <message>
        <source>, contrast {contrast:.0f} of 255</source>
        <translation>，对比度 {contrast:.0f}/255</translation>
    </message>
    <message>
        <source>MEASURING</source>
        <translation>正在测量</translation>
    </message>
    <message>
        <source>  ·  median so far {ms:.0f} ms</source>
        <translation>  ·  目前中位数 {ms:.0f} ms</translation>
    </message>
    <message>
        <source>  ·  {seconds:.0f} s left</source>
        <translation>  ·  剩余 {seconds:.0f} 秒</translation>
    </message>
    <message>
        <source>{n} of {count} flips, {seen} seen</source>
        <translation>{n}/{count} 次翻转，看到 {seen} 次</translation>
    </message>
    <message>
        <source>The delay can only be measured with a camera that sees this screen: open one with Ctrl+O.</source>
        <translation>只有能看到本屏幕的摄像头才能测量延迟：请按 Ctrl+O 打开一个摄像头。</translation>
    </message>
    <message>
        <source>There is no moving picture to measure the delay in.</source>
        <translation>没有可用于测量延迟的动态画面。</translation>
    </message>
    <message>
        <source>The hold-still measurement is still running.</source>
        <translation>静止测量仍在进行中。</translation>
    </message>
    <message>
        <source>The measurement stopped: the camera delivers no more pictures.</source>
        <translation>测量已停止：摄像头不再提供画面。</translation>
    </message>
    <message>
        <source>Delays so far</source>
        <translation>目前测得的延迟</translation>
    </message>
    <message>
        <source>&lt;p&gt;&lt;b&gt;Jitter&lt;/b&gt; is how much the joints tremble, in pixels of the source; steady motion is left out, so hold still to compare decoders.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Bias&lt;/b&gt; is the distance from a decoder's point to the peak of the heatmap that it read: every background cell pulls the mean of plain IPR toward the middle of the crop.&lt;/p&gt;&lt;p&gt;&lt;b&gt;β&lt;/b&gt; of IPR and debiased IPR is how sharply the softmax picks the peak. A small β collapses IPR to the middle, where it hardly trembles; around 10 it trembles most, since the pull itself trembles; at 50 it is nearly the maximum. Debiased IPR stays near the peak throughout. The meters start anew when β changes.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Latency&lt;/b&gt; counts from the moment this computer received a frame to the end of the paint that shows its skeleton. The camera's and the screen's own delays are not included; with the camera pointed at this window, &lt;b&gt;Ctrl+D&lt;/b&gt; measures the whole way.&lt;/p&gt;</source>
        <translation>&lt;p&gt;&lt;b&gt;抖动&lt;/b&gt;是关节颤动的幅度，单位为源图像像素；平稳运动不计入，因此比较解码器时请保持静止。&lt;/p&gt;&lt;p&gt;&lt;b&gt;偏差&lt;/b&gt;是解码器给出的点到它所读热力图峰值的距离：对普通 IPR 而言，每个背景格都会把均值拉向裁剪区域的中心。&lt;/p&gt;&lt;p&gt;&lt;b&gt;β&lt;/b&gt; 决定 IPR 和去偏 IPR 的 softmax 挑选峰值的锐利程度。β 较小时 IPR 会塌缩到中心，几乎不抖动；在 10 左右抖动最大，因为拉力本身也在抖动；到 50 时已接近最大值。去偏 IPR 则始终靠近峰值。β 改变后，各项指标重新开始统计。&lt;/p&gt;&lt;p&gt;&lt;b&gt;延迟&lt;/b&gt;从这台电脑收到一帧算起，到显示该帧骨架的绘制结束为止，不包含摄像头和屏幕自身的延迟；将摄像头对准本窗口，按 &lt;b&gt;Ctrl+D&lt;/b&gt; 可测量全程。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>PoseScope: keys and meters</source>
        <translation>PoseScope：快捷键与指标</translation>
    </message>
    <message>
        <source>Result of the hold-still measurement</source>
        <translation>静止测量结果</translation>
    </message>
    <message>
        <source>Jitter and bias while holding still</source>
        <translation>保持静止时的抖动和偏差</translation>
    </message>
    <message>
        <source>{n} frames in {seconds:.1f} s ({fps:.1f} a second)</source>
        <translation>{seconds:.1f} 秒内 {n} 帧（每秒 {fps:.1f} 帧）</translation>
    </message>
    <message>
        <source>{n_of_all} joints</source>
        <translation>{n_of_all} 个关节</translation>
    </message>
    <message>
        <source> (the others were not seen well)</source>
        <translation>（其余关节看不清楚）</translation>
    </message>
    <message>
        <source>% of body</source>
        <translation>占身体 %</translation>
    </message>
    <message>
        <source>smoothed jitter</source>
        <translation>平滑后抖动</translation>
    </message>
    <message>
        <source>Root mean square over the joints. Jitter: noise of a joint held still. Bias: distance to the peak of its heatmap. Bars are logarithmic.</source>
        <translation>均为各关节的均方根。抖动：静止关节的噪声。偏差：到其热力图峰值的距离。条形为对数刻度。</translation>
    </message>
    <message>
        <source>Hold-still measurement</source>
        <translation>静止测量</translation>
    </message>
    <message>
        <source>The hold-still measurement was broken off: the smoothing was changed.</source>
        <translation>静止测量已中断：平滑设置被更改。</translation>
    </message>
    <message>
        <source>Saved {path}</source>
        <translation>已保存 {path}</translation>
    </message>
    <message>
        <source>The numbers are in the clipboard, as a table.</source>
        <translation>数值已以表格形式复制到剪贴板。</translation>
    </message>
    <message>
        <source>The hold-still measurement was broken off.</source>
        <translation>静止测量已中断。</translation>
    </message>
    <message>
        <source>There is no moving picture to measure in.</source>
        <translation>没有可用于测量的动态画面。</translation>
    </message>
    <message>
        <source>The measurement stopped: the source has ended.</source>
        <translation>测量已停止：输入源已结束。</translation>
    </message>
    <message>
        <source>Figure of the joints, coloured by jitter or bias</source>
        <translation>关节人形图，按抖动或偏差着色</translation>
    </message>
    <message>
        <source>left out: score under {score:g}</source>
        <translation>未计入：得分低于 {score:g}</translation>
    </message>
    <message>
        <source>right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>{joint}, jitter {jitter} {unit}, bias {bias} {unit}</source>
        <translation>{joint}，抖动 {jitter} {unit}，偏差 {bias} {unit}</translation>
    </message>
    <message>
        <source>Joints by jitter or bias</source>
        <translation>按抖动或偏差排列的关节</translation>
    </message>
    <message>
        <source>No joint is measured yet.</source>
        <translation>尚未测量任何关节。</translation>
    </message>
    <message>
        <source>Sort and colour the joints by how much they tremble</source>
        <translation>按颤动幅度对关节排序和着色</translation>
    </message>
    <message>
        <source>Sort and colour the joints by the distance to the peak of their heatmap</source>
        <translation>按到热力图峰值的距离对关节排序和着色</translation>
    </message>
    <message>
        <source>Jitter and bias of every joint</source>
        <translation>每个关节的抖动和偏差</translation>
    </message>
    <message>
        <source>Joints by {what}</source>
        <translation>关节（按{what}）</translation>
    </message>
    <message>
        <source>No bias: MediaPipe gives no heatmaps.</source>
        <translation>没有偏差：MediaPipe 不输出热力图。</translation>
    </message>
    <message>
        <source>{n} of {count} joints</source>
        <translation>{n}/{count} 个关节</translation>
    </message>
    <message>
        <source> · {n} left out (score under {score:g})</source>
        <translation> · {n} 个未计入（得分低于 {score:g}）</translation>
    </message>
    <message>
        <source>How sharply the softmax picks the peak. Small: a mean over the whole map. Large: nearly the maximum itself.</source>
        <translation>softmax 挑选峰值的锐利程度。小：近似整张图的均值。大：接近最大值本身。</translation>
    </message>
    <message>
        <source>sigma</source>
        <translation>σ</translation>
    </message>
    <message>
        <source>{n:.2f} cells</source>
        <translation>{n:.2f} 格</translation>
    </message>
    <message>
        <source>The width of the blob.</source>
        <translation>光斑的宽度。</translation>
    </message>
    <message>
        <source>peak</source>
        <translation>峰值</translation>
    </message>
    <message>
        <source>The height of the blob: how sure the network is.</source>
        <translation>光斑的高度：网络有多确定。</translation>
    </message>
    <message>
        <source>background</source>
        <translation>背景</translation>
    </message>
    <message>
        <source>The height of the map where there is nothing.</source>
        <translation>没有目标处的热力图高度。</translation>
    </message>
    <message>
        <source>noise</source>
        <translation>噪声</translation>
    </message>
    <message>
        <source>The standard deviation of the noise of each cell.</source>
        <translation>每个格的噪声标准差。</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
    <message>
        <source>Back to the values and the place at the start</source>
        <translation>恢复初始的数值和位置</translation>
    </message>
    <message>
        <source>Reset the synthetic heatmap</source>
        <translation>重置合成热力图</translation>
    </message>
    <message>
        <source>SYNTHETIC HEATMAP, DRAG THE BLOB</source>
        <translation>合成热力图，可拖动光斑</translation>
    </message>
    <message>
        <source>Formula of debiasing</source>
        <translation>去偏公式</translation>
    </message>
    <message>
        <source>Synthetic heatmap</source>
        <translation>合成热力图</translation>
    </message>
    <message>
        <source>Click or drag to move the blob; the arrow keys move it by half a cell</source>
        <translation>点击或拖动可移动光斑；方向键每次移动半格</translation>
    </message>
    <message>
        <source>centre of the map</source>
        <translation>图的中心</translation>
    </message>
    <message>
        <source>pull {n} cells</source>
        <translation>拉偏 {n} 格</translation>
    </message>
    <message>
        <source>Debiased: e&lt;sup&gt;βh′&lt;/sup&gt; − 1</source>
        <translation>去偏：e&lt;sup&gt;βh′&lt;/sup&gt; − 1</translation>
    </message>
    <message>
        <source>true x (cells)</source>
        <translation>真实 x（格）</translation>
    </message>
    <message>
        <source>error of x (cells)</source>
        <translation>x 的误差（格）</translation>
    </message>
    <message>
        <source>bias (cells)</source>
        <translation>偏差（格）</translation>
    </message>
    <message>
        <source>peak height</source>
        <translation>峰值高度</translation>
    </message>
    <message>
        <source>cells   ✛ truth</source>
        <translation>单位：格   ✛ 真值</translation>
    </message>
    <message>
        <source>now</source>
        <translation>当前</translation>
    </message>
    <message>
        <source>max</source>
        <translation>最大</translation>
    </message>
    <message>
        <source>frame interval</source>
        <translation>帧间隔</translation>
    </message>
    <message>
        <source>capture → paint</source>
        <translation>采集 → 绘制</translation>
    </message>
    <message>
        <source>shared by all</source>
        <translation>共用部分</translation>
    </message>
    <message>
        <source>bias reference</source>
        <translation>偏差基准</translation>
    </message>
    <message>
        <source>into the image</source>
        <translation>映射回图像</translation>
    </message>
    <message>
        <source>No frame dropped</source>
        <translation>没有丢帧</translation>
    </message>
    <message>
        <source>The age of the picture, made up of its stages, 12 times a second over the last 20 seconds.
The dashed line is the time between two frames of the source. Stages from preprocess to decode share one
thread: where they alone reach above the line, not every frame can be looked at.</source>
        <translation>画面的“年龄”由各阶段累加而成，每秒更新 12 次，显示最近 20 秒。
虚线是输入源两帧之间的间隔。从预处理到解码的各阶段共用一个线程：
如果仅它们就超过虚线，便无法处理每一帧。</translation>
    </message>
    <message>
        <source>Latency of every stage over the last 20 seconds</source>
        <translation>最近 20 秒各阶段的延迟</translation>
    </message>
    <message>
        <source>Length of the latency window</source>
        <translation>延迟统计窗口的长度</translation>
    </message>
    <message>
        <source>last {seconds:g} s</source>
        <translation>最近 {seconds:g} 秒</translation>
    </message>
    <message>
        <source>Save JSON</source>
        <translation>保存 JSON</translation>
    </message>
    <message>
        <source>Save these numbers beside the recordings</source>
        <translation>将这些数值保存到录制文件夹</translation>
    </message>
    <message>
        <source>Delay …</source>
        <translation>延迟 …</translation>
    </message>
    <message>
        <source>Measure my camera’s delay: the whole way, glass to glass. Ctrl+D.</source>
        <translation>测量摄像头延迟：端到端全程（glass-to-glass）。Ctrl+D。</translation>
    </message>
    <message>
        <source>Latency by stage</source>
        <translation>各阶段的延迟</translation>
    </message>
    <message>
        <source>From the moment this computer received the frame to the end of its paint</source>
        <translation>从这台电脑收到该帧，到绘制结束</translation>
    </message>
    <message>
        <source>Decoding, one by one</source>
        <translation>解码，逐项列出</translation>
    </message>
    <message>
        <source>{n} {where}</source>
        <translation>{where} {n} 帧</translation>
    </message>
    <message>
        <source>Frames dropped: {parts}</source>
        <translation>丢帧：{parts}</translation>
    </message>
    <message>
        <source>Nobody to look at yet.
The loupe shows the heatmap of a joint as soon as somebody is in the picture.</source>
        <translation>画面中还没有人。
一旦有人出现，放大镜就会显示关节的热力图。</translation>
    </message>
    <message>
        <source>MediaPipe gives points and no heatmaps:
there is nothing to look into.</source>
        <translation>MediaPipe 只给出关节点，没有热力图：
没有可查看的内容。</translation>
    </message>
    <message>
        <source>The heatmaps of this picture were not kept.
The next picture brings them.</source>
        <translation>这一画面的热力图没有保留。
下一帧就会有。</translation>
    </message>
    <message>
        <source>Numbers of the joint</source>
        <translation>该关节的数值</translation>
    </message>
    <message>
        <source>Loupe</source>
        <translation>放大镜</translation>
    </message>
    <message>
        <source>peak {peak:.2f} at ({column}, {row}) · mean {mean:.3f} · β {beta:g}</source>
        <translation>峰值 {peak:.2f} 位于 ({column}, {row}) · 均值 {mean:.3f} · β {beta:g}</translation>
    </message>
    <message>
        <source>1 cell = {px:.1f} px</source>
        <translation>1 格 = {px:.1f} px</translation>
    </message>
    <message>
        <source>{decoder} {px:.1f} px from the peak · </source>
        <translation>{decoder} 距峰值 {px:.1f} px · </translation>
    </message>
    <message>
        <source>Joint under the loupe</source>
        <translation>放大镜查看的关节</translation>
    </message>
    <message>
        <source>The joint whose heatmap is shown</source>
        <translation>显示其热力图的关节</translation>
    </message>
    <message>
        <source>sub-cell peak</source>
        <translation>亚格峰值</translation>
    </message>
    <message>
        <source>Heatmap of the joint</source>
        <translation>该关节的热力图</translation>
    </message>
    <message>
        <source>The heatmap around its maximum: one square is one cell of the network's output, dark 0 to light 1.
Every decoder reads this map; the numbers are distances to the sub-cell peak, in cells.
Turn the wheel or press + and − to zoom.</source>
        <translation>最大值附近的热力图：一个方块是网络输出的一格，暗为 0，亮为 1。
所有解码器都读取这张图；数字是到亚格峰值的距离，单位为格。
滚动鼠标滚轮或按 + 和 − 可缩放。</translation>
    </message>
    <message>
        <source>{decoder} {n} cells</source>
        <translation>{decoder} {n} 格</translation>
    </message>
    <message>
        <source>{columns} × {rows} cells</source>
        <translation>{columns} × {rows} 格</translation>
    </message>
    <message>
        <source>cells from the peak</source>
        <translation>距峰值（格）</translation>
    </message>
    <message>
        <source>numbers: cells from the peak</source>
        <translation>数字：距峰值的格数</translation>
    </message>
    <message>
        <source>Cells from the peak: {parts}.</source>
        <translation>距峰值的格数：{parts}。</translation>
    </message>
    <message>
        <source>IPR: softmax, e^(βh)</source>
        <translation>IPR：softmax，e^(βh)</translation>
    </message>
    <message>
        <source>debiased: e^(βh′) − 1</source>
        <translation>去偏：e^(βh′) − 1</translation>
    </message>
    <message>
        <source>Weights of IPR and of debiased IPR</source>
        <translation>IPR 与去偏 IPR 的权重</translation>
    </message>
    <message>
        <source>Both decoders take the mean of all cells' places, each under its own weights.
Brightness is the logarithm of the weight, from the largest down to a millionth of it.
The softmax of IPR leaves every background cell a weight, which pulls the mean from the peak
(white cross) to the middle of the map (grey cross); the weights e^(βh′) − 1 leave an empty cell none;
h′ is the map divided by its peak, with its foot cut off.
Background: cells below a tenth of the peak. Debiased IPR cuts away all below a fifth.</source>
        <translation>两种解码器都对所有格的位置取均值，但权重不同。
亮度是权重的对数，从最大权重到其百万分之一。
IPR 的 softmax 给每个背景格都留有权重，把均值从峰值（白色十字）
拉向图的中心（灰色十字）；权重 e^(βh′) − 1 则让空格的权重为零。
h′ 是除以峰值并切除底部之后的热力图。
背景：低于峰值十分之一的格。去偏 IPR 切除低于五分之一的部分。</translation>
    </message>
    <message>
        <source>Weights over the whole map, log scale 10⁻⁶ to 1</source>
        <translation>整张图上的权重，对数刻度 10⁻⁶ 至 1</translation>
    </message>
    <message>
        <source>weight on
background</source>
        <translation>的权重
在背景上</translation>
    </message>
    <message>
        <source>Nobody in view: step back until head and hips are in the picture</source>
        <translation>画面中没有人：请后退，直到头部和髋部都进入画面</translation>
    </message>
    <message>
        <source>Choose another camera, file, folder or stream, or drop a video here.</source>
        <translation>请选择其他摄像头、文件、文件夹或网络流，也可以将视频拖放到这里。</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Loading the network …</source>
        <translation>正在加载网络 …</translation>
    </message>
    <message>
        <source>Source lost</source>
        <translation>输入源已断开</translation>
    </message>
    <message>
        <source>The source has ended</source>
        <translation>输入源已结束</translation>
    </message>
    <message>
        <source>No picture</source>
        <translation>没有画面</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>Open recent</source>
        <translation>最近打开</translation>
    </message>
    <message>
        <source>What is recorded</source>
        <translation>录制内容</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言 (Language)</translation>
    </message>
    <message>
        <source>&amp;Decoder</source>
        <translation>解码器(&amp;D)</translation>
    </message>
    <message>
        <source>Network and device</source>
        <translation>网络与设备</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Close the message</source>
        <translation>关闭消息</translation>
    </message>
    <message>
        <source>From the moment this computer received the frame to the end of the paint that first shows its skeleton.
The camera's own delay and the screen's are not included.</source>
        <translation>从这台电脑收到一帧，到首次显示该帧骨架的绘制结束。
不包含摄像头和屏幕自身的延迟。</translation>
    </message>
    <message>
        <source>MediaPipe itself smooths the points of one person:
compare with our own while smoothing is on (key O).</source>
        <translation>MediaPipe 自身会平滑单人的关节点：
请开启我们的平滑（O 键）再作比较。</translation>
    </message>
    <message>
        <source>Jitter of every decoder over the last 20 seconds, logarithmic</source>
        <translation>最近 20 秒每个解码器的抖动，对数刻度</translation>
    </message>
    <message>
        <source>Jitter of every decoder over the last 20 seconds</source>
        <translation>最近 20 秒每个解码器的抖动</translation>
    </message>
    <message>
        <source>How fast the joints move. Speed and acceleration are taken out of the jitter,
but fast and uneven motion leaves a rest: hold still to compare decoders.</source>
        <translation>关节运动的快慢。抖动中已去除速度和加速度，
但快速、不均匀的运动仍有残留：比较解码器时请保持静止。</translation>
    </message>
    <message>
        <source>Jitter of the chosen decoder before and after the smoothing (the thin bars: of every decoder),
and by how much it delays the points: the lag that best aligns smoothed to raw.
That can only be told while the person moves.</source>
        <translation>当前解码器平滑前后的抖动（细条：每个解码器），
以及平滑造成的关节点滞后：使平滑结果与原始结果最吻合的时间差。
只有人在运动时才能测出。</translation>
    </message>
    <message>
        <source>LATENCY, CAPTURE → PAINT</source>
        <translation>延迟，采集 → 绘制</translation>
    </message>
    <message>
        <source>Length of the jitter window</source>
        <translation>抖动统计窗口的长度</translation>
    </message>
    <message>
        <source>Over which time jitter and bias are taken</source>
        <translation>统计抖动和偏差的时间范围</translation>
    </message>
    <message>
        <source>Jitter and bias as a share of the body's size instead of pixels</source>
        <translation>以占身体尺寸的百分比代替像素显示抖动和偏差</translation>
    </message>
    <message>
        <source>Hold still …</source>
        <translation>静止测量 …</translation>
    </message>
    <message>
        <source>3-2-1, five seconds, then a card with jitter and bias of every decoder. Key T.</source>
        <translation>3、2、1 倒计时，测量五秒，然后给出每个解码器抖动和偏差的卡片。快捷键 T。</translation>
    </message>
    <message>
        <source>JITTER AND BIAS OF EVERY DECODER</source>
        <translation>每个解码器的抖动和偏差</translation>
    </message>
    <message>
        <source>JITTER OF THE REFERENCE</source>
        <translation>参考方法的抖动</translation>
    </message>
    <message>
        <source>median of {seconds:g} s</source>
        <translation>{seconds:g} 秒中位数</translation>
    </message>
    <message>
        <source> · {n} dropped</source>
        <translation> · 丢 {n} 帧</translation>
    </message>
    <message>
        <source>Motion –</source>
        <translation>运动 –</translation>
    </message>
    <message>
        <source>Moving</source>
        <translation>运动中</translation>
    </message>
    <message>
        <source>Still</source>
        <translation>静止</translation>
    </message>
    <message>
        <source>{state}: {px:.0f} px/s, {percent:.0f} % of the body a second</source>
        <translation>{state}：{px:.0f} px/s，每秒移动身体的 {percent:.0f} %</translation>
    </message>
    <message>
        <source>lag – (move)</source>
        <translation>滞后 –（需运动）</translation>
    </message>
    <message>
        <source>lag {ms:.0f} ms</source>
        <translation>滞后 {ms:.0f} ms</translation>
    </message>
    <message>
        <source>Smoothed: {raw:.2f} → {smoothed:.2f} px, {lag}</source>
        <translation>平滑：{raw:.2f} → {smoothed:.2f} px，{lag}</translation>
    </message>
    <message>
        <source>No joint seen</source>
        <translation>没有看到关节</translation>
    </message>
    <message>
        <source>Starting anew …</source>
        <translation>正在重新开始测量 …</translation>
    </message>
    <message>
        <source>Show the folder</source>
        <translation>显示文件夹</translation>
    </message>
    <message>
        <source>{n} joints</source>
        <translation>{n} 个关节</translation>
    </message>
    <message>
        <source> · {n} left out (score under 0.3)</source>
        <translation> · {n} 个未计入（得分低于 0.3）</translation>
    </message>
    <message>
        <source>argmax</source>
        <translation>argmax</translation>
    </message>
    <message>
        <source>argmax ¼</source>
        <translation>argmax ¼</translation>
    </message>
    <message>
        <source>debiased IPR</source>
        <translation>去偏 IPR</translation>
    </message>
    <message>
        <source>regression</source>
        <translation>回归</translation>
    </message>
    <message>
        <source>MediaPipe (reference)</source>
        <translation>MediaPipe（参考）</translation>
    </message>
    <message>
        <source>Debiased, paper’s form</source>
        <translation>去偏（论文原式）</translation>
    </message>
    <message>
        <source>nose</source>
        <translation>鼻子</translation>
    </message>
    <message>
        <source>left eye inner</source>
        <translation>左眼内角</translation>
    </message>
    <message>
        <source>left eye</source>
        <translation>左眼</translation>
    </message>
    <message>
        <source>left eye outer</source>
        <translation>左眼外角</translation>
    </message>
    <message>
        <source>right eye inner</source>
        <translation>右眼内角</translation>
    </message>
    <message>
        <source>right eye</source>
        <translation>右眼</translation>
    </message>
    <message>
        <source>right eye outer</source>
        <translation>右眼外角</translation>
    </message>
    <message>
        <source>left ear</source>
        <translation>左耳</translation>
    </message>
    <message>
        <source>right ear</source>
        <translation>右耳</translation>
    </message>
    <message>
        <source>left mouth</source>
        <translation>左嘴角</translation>
    </message>
    <message>
        <source>right mouth</source>
        <translation>右嘴角</translation>
    </message>
    <message>
        <source>left shoulder</source>
        <translation>左肩</translation>
    </message>
    <message>
        <source>right shoulder</source>
        <translation>右肩</translation>
    </message>
    <message>
        <source>left elbow</source>
        <translation>左肘</translation>
    </message>
    <message>
        <source>right elbow</source>
        <translation>右肘</translation>
    </message>
    <message>
        <source>left wrist</source>
        <translation>左腕</translation>
    </message>
    <message>
        <source>right wrist</source>
        <translation>右腕</translation>
    </message>
    <message>
        <source>left pinky</source>
        <translation>左小指</translation>
    </message>
    <message>
        <source>right pinky</source>
        <translation>右小指</translation>
    </message>
    <message>
        <source>left index</source>
        <translation>左食指</translation>
    </message>
    <message>
        <source>right index</source>
        <translation>右食指</translation>
    </message>
    <message>
        <source>left thumb</source>
        <translation>左拇指</translation>
    </message>
    <message>
        <source>right thumb</source>
        <translation>右拇指</translation>
    </message>
    <message>
        <source>left hip</source>
        <translation>左髋</translation>
    </message>
    <message>
        <source>right hip</source>
        <translation>右髋</translation>
    </message>
    <message>
        <source>left knee</source>
        <translation>左膝</translation>
    </message>
    <message>
        <source>right knee</source>
        <translation>右膝</translation>
    </message>
    <message>
        <source>left ankle</source>
        <translation>左踝</translation>
    </message>
    <message>
        <source>right ankle</source>
        <translation>右踝</translation>
    </message>
    <message>
        <source>left heel</source>
        <translation>左脚跟</translation>
    </message>
    <message>
        <source>right heel</source>
        <translation>右脚跟</translation>
    </message>
    <message>
        <source>left foot index</source>
        <translation>左脚尖</translation>
    </message>
    <message>
        <source>right foot index</source>
        <translation>右脚尖</translation>
    </message>
    <message>
        <source>capture wait</source>
        <translation>采集等待</translation>
    </message>
    <message>
        <source>preprocess</source>
        <translation>预处理</translation>
    </message>
    <message>
        <source>detect</source>
        <translation>检测</translation>
    </message>
    <message>
        <source>network</source>
        <translation>网络</translation>
    </message>
    <message>
        <source>decode</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>hand-over</source>
        <translation>交接</translation>
    </message>
    <message>
        <source>overlay</source>
        <translation>叠加</translation>
    </message>
    <message>
        <source>paint</source>
        <translation>绘制</translation>
    </message>
    <message>
        <source>before the network</source>
        <translation>网络之前</translation>
    </message>
    <message>
        <source>before the paint</source>
        <translation>绘制之前</translation>
    </message>
    <message>
        <source>in the recording</source>
        <translation>录制时</translation>
    </message>
    <message>
        <source>CSV</source>
        <translation>CSV</translation>
    </message>
    <message>
        <source>JSON lines</source>
        <translation>JSON Lines</translation>
    </message>
    <message>
        <source>COCO results</source>
        <translation>COCO 结果</translation>
    </message>
    <message>
        <source>OpenPose folder</source>
        <translation>OpenPose 文件夹</translation>
    </message>
    <message>
        <source>not seen</source>
        <translation>次未看到</translation>
    </message>
    <message>
        <source>unsteady</source>
        <translation>次不稳定</translation>
    </message>
    <message>
        <source>no picture</source>
        <translation>次没有画面</translation>
    </message>
    <message>
        <source>not painted</source>
        <translation>次未绘制</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>输入源</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>网络</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Joints</source>
        <translation>关节</translation>
    </message>
    <message>
        <source>Flips</source>
        <translation>翻转</translation>
    </message>
    <message>
        <source>Pattern</source>
        <translation>图案</translation>
    </message>
    <message>
        <source>the network</source>
        <translation>网络</translation>
    </message>
    <message>
        <source>the device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>the size of the picture</source>
        <translation>画面尺寸</translation>
    </message>
    <message>
        <source>MediaPipe gives points and no heatmaps: there is nothing for decoders to read.</source>
        <translation>MediaPipe 只给出关节点，没有热力图：没有可供解码器读取的内容。</translation>
    </message>
    <message>
        <source>This network gives heatmaps alone: it regresses no points.</source>
        <translation>该网络只给出热力图，不直接回归关节点。</translation>
    </message>
    <message>
        <source>The measurement stopped: the source was changed.</source>
        <translation>测量已停止：输入源已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: no picture came for more than a second.</source>
        <translation>测量已停止：超过一秒没有画面。</translation>
    </message>
    <message>
        <source>The measurement stopped: β was changed.</source>
        <translation>测量已停止：β 已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: the network was changed.</source>
        <translation>测量已停止：网络已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: the device was changed.</source>
        <translation>测量已停止：设备已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: the person to look at was changed.</source>
        <translation>测量已停止：所观察的人已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: the size of the picture was changed.</source>
        <translation>测量已停止：画面尺寸已更改。</translation>
    </message>
    <message>
        <source>The measurement stopped: nobody was seen for more than a second.</source>
        <translation>测量已停止：超过一秒没有看到人。</translation>
    </message>
    <message>
        <source>The measurement stopped: no joint was seen clearly enough for long enough.</source>
        <translation>测量已停止：没有任何关节在足够长的时间内足够清晰。</translation>
    </message>
    <message>
        <source>There is no picture to read: open another source first.</source>
        <translation>没有可读取的画面：请先打开其他输入源。</translation>
    </message>
    <message>
        <source>fastest</source>
        <translation>最快</translation>
    </message>
    <message>
        <source>balanced</source>
        <translation>均衡</translation>
    </message>
    <message>
        <source>most exact, slowest</source>
        <translation>最精确，最慢</translation>
    </message>
    <message>
        <source>Bundle …</source>
        <translation>模型包 …</translation>
    </message>
    <message>
        <source>A network of your own: a .task file, or a .pth file of SimpleBaseline or HRNet</source>
        <translation>您自己的网络：.task 文件，或 SimpleBaseline、HRNet 的 .pth 文件</translation>
    </message>
    <message>
        <source>every decoder</source>
        <translation>所有解码器</translation>
    </message>
    <message>
        <source>its own points</source>
        <translation>只有它自己的关节点</translation>
    </message>
    <message>
        <source>MediaPipe’s own PoseLandmarker instead of ours, from picture to points, on the same network.
It gives no heatmaps. To see both at once tick it as a ghost in the tab View.</source>
        <translation>用 MediaPipe 自己的 PoseLandmarker 代替我们的流程，从画面直接到关节点，网络相同。
它不输出热力图。若要同时查看两者，请在“视图”标签页中将它勾选为叠影。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>People</source>
        <translation>人数</translation>
    </message>
    <message>
        <source>One person</source>
        <translation>一人</translation>
    </message>
    <message>
        <source>Up to {n}</source>
        <translation>最多 {n} 人</translation>
    </message>
    <message>
        <source>Each costs as much as the first</source>
        <translation>每多一人，开销与第一人相同</translation>
    </message>
    <message>
        <source>People: one</source>
        <translation>人数：一人</translation>
    </message>
    <message>
        <source>People: up to {n}</source>
        <translation>人数：最多 {n} 人</translation>
    </message>
    <message>
        <source>Open a network</source>
        <translation>打开网络</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>头</translation>
    </message>
    <message>
        <source>Heads: each decoder its own</source>
        <translation>头：每个解码器用自己的</translation>
    </message>
    <message>
        <source>Heads: as shipped</source>
        <translation>头：随附的</translation>
    </message>
    <message>
        <source>Heads: {name} for all</source>
        <translation>头：全部用 {name}</translation>
    </message>
    <message>
        <source>Each decoder its own</source>
        <translation>每个解码器用自己的头</translation>
    </message>
    <message>
        <source>Each decoder reads the head that was trained for it, where there is one</source>
        <translation>每个解码器读取为它训练的头（如果有）</translation>
    </message>
    <message>
        <source>As shipped, for all decoders</source>
        <translation>随附的，用于所有解码器</translation>
    </message>
    <message>
        <source>{name}, for all decoders</source>
        <translation>{name}，用于所有解码器</translation>
    </message>
    <message>
        <source>Open a head …</source>
        <translation>打开一个头 …</translation>
    </message>
    <message>
        <source>Open a head</source>
        <translation>打开一个头</translation>
    </message>
    <message>
        <source>Heads (*{suffix})</source>
        <translation>头 (*{suffix})</translation>
    </message>
    <message>
        <source>The head “{head}” was trained for another network than {network}.</source>
        <translation>头“{head}”是为另一个网络训练的，不是 {network}。</translation>
    </message>
    <message>
        <source>own heads</source>
        <translation>各自的头</translation>
    </message>
    <message>
        <source>Networks (*.task *.pth *.pt *.tar)</source>
        <translation>网络 (*.task *.pth *.pt *.tar)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>loading …</source>
        <translation>正在加载 …</translation>
    </message>
    <message>
        <source>Network and device: {what}</source>
        <translation>网络与设备：{what}</translation>
    </message>
    <message>
        <source>Choose the network and the device it runs on</source>
        <translation>选择网络及其运行设备</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>The picture and its meters. Key L.</source>
        <translation>画面和各项指标。快捷键 L。</translation>
    </message>
    <message>
        <source>Why IPR is biased. Key L.</source>
        <translation>IPR 为什么有偏差。快捷键 L。</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>Meters of person {n}</source>
        <translation>人物 {n} 的指标</translation>
    </message>
    <message>
        <source>Show the meters of person {n}. A click on them in the picture does the same.</source>
        <translation>显示人物 {n} 的指标。在画面中点击此人效果相同。</translation>
    </message>
    <message>
        <source>A recording needs at least one file: choose another one first.</source>
        <translation>录制至少需要一个文件：请先选择另一个。</translation>
    </message>
    <message>
        <source>A table with one row for each person, joint and decoder</source>
        <translation>一张表，每个人、每个关节、每个解码器各占一行</translation>
    </message>
    <message>
        <source>One line of JSON for each picture</source>
        <translation>每帧一行 JSON</translation>
    </message>
    <message>
        <source>The results format of COCO, 17 joints</source>
        <translation>COCO 的结果格式，17 个关键点</translation>
    </message>
    <message>
        <source>A folder with one JSON file for each picture</source>
        <translation>一个文件夹，每帧一个 JSON 文件</translation>
    </message>
    <message>
        <source>Annotated video</source>
        <translation>带标注的视频</translation>
    </message>
    <message>
        <source>The picture with skeleton and plate, as it is seen</source>
        <translation>带骨架和信息板的画面，所见即所得</translation>
    </message>
    <message>
        <source>Clean video</source>
        <translation>原始视频</translation>
    </message>
    <message>
        <source>The picture as it came from the source</source>
        <translation>来自输入源的原始画面</translation>
    </message>
    <message>
        <source>Keypoints as {format}</source>
        <translation>关键点：{format}</translation>
    </message>
    <message>
        <source>A report with jitter, bias and the filter’s lag of every decoder, as a page to open</source>
        <translation>包含每个解码器的抖动、偏差和滤波滞后的报告，可作为网页打开</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>虚拟摄像头</translation>
    </message>
    <message>
        <source>The annotated picture as a camera for meetings and OBS</source>
        <translation>将带标注的画面作为摄像头，供会议软件和 OBS 使用</translation>
    </message>
    <message>
        <source>Save the last {seconds:.2g} s</source>
        <translation>保存最近 {seconds:.2g} 秒</translation>
    </message>
    <message>
        <source>Annotated video and keypoints of what has just been, though nobody pressed Record</source>
        <translation>保存刚刚过去的带标注视频和关键点，即使没有按下录制</translation>
    </message>
    <message>
        <source>Keeping the last seconds is switched off</source>
        <translation>未启用保留最近几秒的功能</translation>
    </message>
    <message>
        <source>Compare on the last {seconds:.2g} seconds</source>
        <translation>对比最近 {seconds:.2g} 秒</translation>
    </message>
    <message>
        <source>The choice of files counts from the next recording on.</source>
        <translation>所选文件从下一次录制开始生效。</translation>
    </message>
    <message>
        <source>There is no picture to record.</source>
        <translation>没有可录制的画面。</translation>
    </message>
    <message>
        <source>Cannot make {folder}: {error}.</source>
        <translation>无法创建 {folder}：{error}。</translation>
    </message>
    <message>
        <source>No program opens folders here. The recordings are in {folder}</source>
        <translation>没有可打开文件夹的程序。录制文件位于 {folder}</translation>
    </message>
    <message>
        <source>  ({n} dropped)</source>
        <translation>（丢 {n} 帧）</translation>
    </message>
    <message>
        <source>Finish recording</source>
        <translation>结束录制</translation>
    </message>
    <message>
        <source>The other files go on.</source>
        <translation>其他文件继续写入。</translation>
    </message>
    <message>
        <source>There is no picture to save yet.</source>
        <translation>还没有可保存的画面。</translation>
    </message>
    <message>
        <source>The last seconds are still being saved.</source>
        <translation>最近几秒仍在保存中。</translation>
    </message>
    <message>
        <source>The last seconds could not be saved: {error}.</source>
        <translation>无法保存最近几秒：{error}。</translation>
    </message>
    <message>
        <source>Other programs can choose the annotated picture as a camera now.</source>
        <translation>现在其他程序可以把带标注的画面选作摄像头。</translation>
    </message>
    <message>
        <source>MediaPipe alone reads these pictures.</source>
        <translation>这些画面仅由 MediaPipe 读取。</translation>
    </message>
    <message>
        <source>Loading MediaPipe …</source>
        <translation>正在加载 MediaPipe …</translation>
    </message>
    <message>
        <source>MediaPipe is drawn from the next picture on.</source>
        <translation>从下一帧开始显示 MediaPipe。</translation>
    </message>
    <message>
        <source>MediaPipe differs by {percent:.2g} % of the body</source>
        <translation>MediaPipe 相差身体尺寸的 {percent:.2g} %</translation>
    </message>
    <message>
        <source> · {n} left out</source>
        <translation> · {n} 帧未计入</translation>
    </message>
    <message>
        <source>Nothing was recorded: no frame came.</source>
        <translation>没有录下任何内容：没有收到帧。</translation>
    </message>
    <message>
        <source>, {n} frames dropped</source>
        <translation>，丢 {n} 帧</translation>
    </message>
    <message>
        <source> and {name}</source>
        <translation> 和 {name}</translation>
    </message>
    <message>
        <source> and {n} files beside it</source>
        <translation> 及同一处的 {n} 个文件</translation>
    </message>
    <message>
        <source>Saved {seconds:.1f} s ({frames} frames{dropped}) in {names}</source>
        <translation>已将 {seconds:.1f} 秒（{frames} 帧{dropped}）保存到 {names}</translation>
    </message>
    <message>
        <source>The recording stopped: {error} {saved}</source>
        <translation>录制已停止：{error} {saved}</translation>
    </message>
    <message>
        <source>Pattern for the camera</source>
        <translation>供摄像头观看的图案</translation>
    </message>
    <message>
        <source>No picture yet</source>
        <translation>还没有画面</translation>
    </message>
    <message>
        <source>What the screen shows and what the camera sees</source>
        <translation>屏幕显示的内容与摄像头看到的内容</translation>
    </message>
    <message>
        <source>screen</source>
        <translation>屏幕</translation>
    </message>
    <message>
        <source>camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>{n} of {count} flips seen</source>
        <translation>看到 {n}/{count} 次翻转</translation>
    </message>
    <message>
        <source>From the screen through the camera and PoseScope back onto the screen</source>
        <translation>从屏幕经过摄像头和 PoseScope 再回到屏幕</translation>
    </message>
    <message>
        <source>a swap is painted</source>
        <translation>绘制一次翻转</translation>
    </message>
    <message>
        <source>its picture is painted</source>
        <translation>绘制拍到它的画面</translation>
    </message>
    <message>
        <source>Panels</source>
        <translation>面板</translation>
    </message>
    <message>
        <source>Meters</source>
        <translation>指标</translation>
    </message>
    <message>
        <source>The heatmap around one joint, magnified</source>
        <translation>放大显示一个关节附近的热力图</translation>
    </message>
    <message>
        <source>Latency</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>The time of every stage</source>
        <translation>各阶段的耗时</translation>
    </message>
    <message>
        <source>View</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Ghosts, arrows, heatmaps, smoothing</source>
        <translation>叠影、箭头、热力图、平滑</translation>
    </message>
    <message>
        <source>DECODER</source>
        <translation>解码器</translation>
    </message>
    <message>
        <source>{sentence}. Key {key}.</source>
        <translation>{sentence}。快捷键 {key}。</translation>
    </message>
    <message>
        <source>What is recorded, and the last seconds</source>
        <translation>录制内容，以及最近几秒</translation>
    </message>
    <message>
        <source>“{name}” is back.</source>
        <translation>“{name}”已恢复。</translation>
    </message>
    <message>
        <source>Lost: trying again …</source>
        <translation>已断开，正在重试 …</translation>
    </message>
    <message>
        <source>The clip has ended</source>
        <translation>视频已播完</translation>
    </message>
    <message>
        <source>no picture yet</source>
        <translation>还没有画面</translation>
    </message>
    <message>
        <source>every frame is looked at, at {pace:.1f} × speed</source>
        <translation>逐帧处理，速度为 {pace:.1f} ×</translation>
    </message>
    <message>
        <source> (claims {fps:.4g})</source>
        <translation>（标称 {fps:.4g}）</translation>
    </message>
    <message>
        <source>, {percent:.0f} % of them repeated</source>
        <translation>，其中 {percent:.0f} % 为重复帧</translation>
    </message>
    <message>
        <source>No camera is connected.</source>
        <translation>没有连接摄像头。</translation>
    </message>
    <message>
        <source>Looking for cameras …</source>
        <translation>正在查找摄像头 …</translation>
    </message>
    <message>
        <source>Open a source</source>
        <translation>打开输入源</translation>
    </message>
    <message>
        <source>Sources</source>
        <translation>输入源</translation>
    </message>
    <message>
        <source>Refresh</source>
        <translation>刷新</translation>
    </message>
    <message>
        <source>Look for cameras again</source>
        <translation>重新查找摄像头</translation>
    </message>
    <message>
        <source>Video file</source>
        <translation>视频文件</translation>
    </message>
    <message>
        <source>A video that FFmpeg can read: MP4, MOV, MKV, AVI, WebM and others.</source>
        <translation>FFmpeg 可读取的视频：MP4、MOV、MKV、AVI、WebM 等。</translation>
    </message>
    <message>
        <source>The pictures of a folder, in the natural order of their names.</source>
        <translation>文件夹中的图片，按文件名的自然顺序。</translation>
    </message>
    <message>
        <source>Image folder</source>
        <translation>图片文件夹</translation>
    </message>
    <message>
        <source>Choose a source on the left.</source>
        <translation>请在左侧选择输入源。</translation>
    </message>
    <message>
        <source>FILES AND STREAMS</source>
        <translation>文件与网络流</translation>
    </message>
    <message>
        <source>Video file …</source>
        <translation>视频文件 …</translation>
    </message>
    <message>
        <source>Image folder …</source>
        <translation>图片文件夹 …</translation>
    </message>
    <message>
        <source>Network stream</source>
        <translation>网络流</translation>
    </message>
    <message>
        <source>WITH KNOWN JOINTS</source>
        <translation>关节真值已知</translation>
    </message>
    <message>
        <source>Rendered person</source>
        <translation>渲染人物</translation>
    </message>
    <message>
        <source>Moving figure</source>
        <translation>运动人形</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>CAMERAS</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Cameras cannot be listed: {reason}</source>
        <translation>无法列出摄像头：{reason}</translation>
    </message>
    <message>
        <source>Automatic takes a mode that this camera can keep up. The window shows the rate that really arrives.</source>
        <translation>“自动”会选用该摄像头能够稳定输出的模式。窗口中显示实际收到的帧率。</translation>
    </message>
    <message>
        <source>Size, rate and pixel format</source>
        <translation>尺寸、帧率和像素格式</translation>
    </message>
    <message>
        <source>&amp;Mode</source>
        <translation>模式(&amp;M)</translation>
    </message>
    <message>
        <source>Identity of the camera</source>
        <translation>摄像头标识</translation>
    </message>
    <message>
        <source>The address of an IP camera or of a stream: RTSP, HTTP (MJPEG, MPEG-TS, HLS), UDP.</source>
        <translation>网络摄像头或网络流的地址：RTSP、HTTP（MJPEG、MPEG-TS、HLS）、UDP。</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>&amp;Address</source>
        <translation>地址(&amp;A)</translation>
    </message>
    <message>
        <source>Also rtsp://192.168.1.20:554/live, udp://@:5000</source>
        <translation>也可以是 rtsp://192.168.1.20:554/live、udp://@:5000</translation>
    </message>
    <message>
        <source>What stands there as user:password@ serves to connect; it is never stored or shown in the window.</source>
        <translation>地址中的 user:password@ 仅用于连接，不会被保存，也不会显示在窗口中。</translation>
    </message>
    <message>
        <source>Path of the {what}</source>
        <translation>{what}的路径</translation>
    </message>
    <message>
        <source>Nothing chosen yet</source>
        <translation>尚未选择</translation>
    </message>
    <message>
        <source>&amp;Choose …</source>
        <translation>选择(&amp;C) …</translation>
    </message>
    <message>
        <source>Choose the {what}</source>
        <translation>选择{what}</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>路径</translation>
    </message>
    <message>
        <source>Choose a folder of images</source>
        <translation>选择图片文件夹</translation>
    </message>
    <message>
        <source>Choose a video file</source>
        <translation>选择视频文件</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>The shipped clip of a rendered person, with the true place of every joint.</source>
        <translation>随附的渲染人物视频，每个关节的真实位置已知。</translation>
    </message>
    <message>
        <source>A drawn figure that moves, with the true place of every joint.</source>
        <translation>绘制的运动人形，每个关节的真实位置已知。</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Rate</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source> frames a second</source>
        <translation> 帧/秒</translation>
    </message>
    <message>
        <source>Noise</source>
        <translation>噪声</translation>
    </message>
    <message>
        <source> grey levels</source>
        <translation> 灰度级</translation>
    </message>
    <message>
        <source>Delay</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>Standard deviation of the noise that is added to every pixel</source>
        <translation>加到每个像素上的噪声的标准差</translation>
    </message>
    <message>
        <source>By how much each picture is handed over after its time</source>
        <translation>每帧比其时刻晚多久送出</translation>
    </message>
    <message>
        <source>&amp;Size</source>
        <translation>尺寸(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Rate</source>
        <translation>帧率(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Noise</source>
        <translation>噪声(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Delay</source>
        <translation>延迟(&amp;D)</translation>
    </message>
    <message>
        <source>Median time of each stage</source>
        <translation>各阶段耗时的中位数</translation>
    </message>
    <message>
        <source>15 s ago</source>
        <translation>15 秒前</translation>
    </message>
    <message>
        <source>10 s</source>
        <translation>10 秒</translation>
    </message>
    <message>
        <source>5 s</source>
        <translation>5 秒</translation>
    </message>
    <message>
        <source>frame interval {value:.1f} ms</source>
        <translation>帧间隔 {value:.1f} ms</translation>
    </message>
    <message>
        <source>Argmax: the highest cell</source>
        <translation>Argmax：取最高的格</translation>
    </message>
    <message>
        <source>For each joint the network paints a heatmap of 64 × 64 cells: the warmer, the likelier the joint is there. &lt;b&gt;Argmax&lt;/b&gt; takes the highest cell. It is never far off, but it can only sit in the middle of a cell: the point jumps, and in between it does not move at all. On the right, the loupe shows the left wrist’s map.</source>
        <translation>网络为每个关节输出一张 64 × 64 格的热力图：颜色越暖，关节越可能在那里。&lt;b&gt;Argmax&lt;/b&gt; 取最高的一格。它不会偏得太远，但只能落在格的中心：点会跳动，两次跳动之间又完全不动。右侧的放大镜显示的是左腕的热力图。</translation>
    </message>
    <message>
        <source>IPR: the mean of the whole map</source>
        <translation>IPR：整张图的均值</translation>
    </message>
    <message>
        <source>&lt;b&gt;Integral pose regression&lt;/b&gt; (soft-argmax) averages the positions of all cells, weighted by e&lt;sup&gt;βh&lt;/sup&gt;. The mean moves smoothly, and a network can be trained through it. But look at the hands and feet: they are drawn in toward the middle of the body.</source>
        <translation>&lt;b&gt;积分姿态回归&lt;/b&gt;（soft-argmax）以 e&lt;sup&gt;βh&lt;/sup&gt; 为权重，对所有格的位置取平均。均值移动平滑，网络也可以通过它训练。但请看手和脚：它们被拉向身体中间。</translation>
    </message>
    <message>
        <source>Why it is pulled to the middle</source>
        <translation>为什么会被拉向中心</translation>
    </message>
    <message>
        <source>An empty cell has h = 0, and still weighs e&lt;sup&gt;0&lt;/sup&gt; = 1. There are some 4,000 of them, and their mean is the middle of the map. In the loupe the two small maps are the weights: IPR’s background is not black, and the number beneath says how much of the weight lies there. A larger β makes it less: try the slider.</source>
        <translation>空格的 h = 0，但权重仍是 e&lt;sup&gt;0&lt;/sup&gt; = 1。这样的格约有 4,000 个，它们的均值就是图的中心。放大镜里的两张小图是权重：IPR 的背景并不是黑的，下方的数字是背景所占的权重。β 越大，这一比例越小：试试滑块。</translation>
    </message>
    <message>
        <source>Debiasing: take that share away</source>
        <translation>去偏：减去这部分权重</translation>
    </message>
    <message>
        <source>&lt;b&gt;Debiased IPR&lt;/b&gt; subtracts what the background alone would give: the weights become e&lt;sup&gt;βh&lt;/sup&gt; − 1, and an empty cell weighs nothing. The point lies on the peak, and without the pull it trembles less, too. Drag the divider: debiased IPR on the left, plain IPR on the right, one and the same heatmap.</source>
        <translation>&lt;b&gt;去偏 IPR&lt;/b&gt; 减去仅由背景产生的部分：权重变为 e&lt;sup&gt;βh&lt;/sup&gt; − 1，空格的权重为零。得到的点落在峰值上；没有了拉力，抖动也更小。拖动分隔线：左边是去偏 IPR，右边是普通 IPR，读的是同一张热力图。</translation>
    </message>
    <message>
        <source>The meters tell who is right</source>
        <translation>由指标来评判</translation>
    </message>
    <message>
        <source>&lt;b&gt;Jitter&lt;/b&gt; is how much the joints tremble; steady motion is left out. &lt;b&gt;Bias&lt;/b&gt; is how far a decoder’s point lies from the peak of the very map that it read. Look at both: at a small β IPR sticks to the middle of the map, where it hardly trembles. &lt;b&gt;Latency&lt;/b&gt; counts from the frame’s arrival to the end of its paint. Press T to compare all decoders while you hold still, and 1, 2, 3 to switch at any time.</source>
        <translation>&lt;b&gt;抖动&lt;/b&gt;是关节颤动的幅度，不计平稳运动。&lt;b&gt;偏差&lt;/b&gt;是解码器的点到它所读热力图峰值的距离。两者要一起看：β 很小时 IPR 停在图的中心，几乎不抖动。&lt;b&gt;延迟&lt;/b&gt;从收到帧算起，到绘制结束为止。按 T 保持静止，即可比较所有解码器；按 1、2、3 可随时切换。</translation>
    </message>
    <message>
        <source>Skip</source>
        <translation>跳过</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>上一步</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>下一步</translation>
    </message>
    <message>
        <source>TOUR, {n} OF {count}</source>
        <translation>导览，第 {n}/{count} 步</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Transport</source>
        <translation>播放控制</translation>
    </message>
    <message>
        <source>One picture back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One picture forward</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>Click or drag to go there. Arrow keys, Page up and down, Home and End.</source>
        <translation>点击或拖动即可跳转。也可用方向键、Page Up、Page Down、Home 和 End。</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>循环</translation>
    </message>
    <message>
        <source>Start again at the end</source>
        <translation>播完后从头开始</translation>
    </message>
    <message>
        <source>Max</source>
        <translation>最快</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>1×: at real speed. Max: as fast as this computer can look at every picture.</source>
        <translation>1×：按实际速度。最快：以这台电脑处理每一帧的最快速度。</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Hold the picture</source>
        <translation>停住画面</translation>
    </message>
    <message>
        <source>{tip}. Key {key}</source>
        <translation>{tip}。快捷键 {key}</translation>
    </message>
    <message>
        <source>Opening the source …</source>
        <translation>正在打开输入源 …</translation>
    </message>
    <message>
        <source>SPLIT VIEW</source>
        <translation>分屏对比</translation>
    </message>
    <message>
        <source>GHOSTS ON THE SAME PICTURE</source>
        <translation>同一画面上的叠影</translation>
    </message>
    <message>
        <source>ARROWS FROM GHOST TO CHOSEN</source>
        <translation>从叠影指向当前解码器的箭头</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>The ghosts' distances to the chosen decoder, magnified, so that they are seen</source>
        <translation>各叠影到当前解码器的距离，放大以便看清</translation>
    </message>
    <message>
        <source>HEATMAP OVER THE PICTURE</source>
        <translation>叠加在画面上的热力图</translation>
    </message>
    <message>
        <source>One joint</source>
        <translation>单个关节</translation>
    </message>
    <message>
        <source>All joints</source>
        <translation>全部关节</translation>
    </message>
    <message>
        <source>One joint: the one in the loupe. Click a joint in the picture to choose it.</source>
        <translation>单个关节：即放大镜中的关节。在画面中点击关节即可选择。</translation>
    </message>
    <message>
        <source>SMOOTHING, 1 € FILTER</source>
        <translation>平滑，1 € 滤波器</translation>
    </message>
    <message>
        <source>The chosen decoder on the left, another one on the right of a divider that you drag</source>
        <translation>左侧为当前解码器，右侧为另一个，中间的分隔线可拖动</translation>
    </message>
    <message>
        <source>Right: {decoder}</source>
        <translation>右侧：{decoder}</translation>
    </message>
    <message>
        <source>Ghost of {decoder}</source>
        <translation>{decoder} 的叠影</translation>
    </message>
    <message>
        <source>MediaPipe’s own PoseLandmarker beside our network, on the same pictures and the same .task file: from
picture to points all its own. A live picture waits for it up to three others; where it comes later
that picture is shown without it, never with the points of another one.</source>
        <translation>MediaPipe 自己的 PoseLandmarker，与我们的网络并行，使用相同的画面和相同的 .task 文件，
从画面到关节点全由它自己完成。实时画面最多等它三帧；如果来得更晚，
则该画面不显示它，而绝不会显示其他画面的关节点。</translation>
    </message>
    <message>
        <source>MediaPipe’s ghost</source>
        <translation>MediaPipe 的叠影</translation>
    </message>
    <message>
        <source>Distance of MediaPipe’s joints from those that our network regressed: the median in each picture,
averaged over the time that the meters look back. Left out: live pictures for which it came too late.</source>
        <translation>MediaPipe 的关节点与我们的网络回归结果之间的距离：每帧取中位数，
再在指标统计窗口内取平均。未计入：它来得太晚的实时画面。</translation>
    </message>
    <message>
        <source>Smooth the points after they are read</source>
        <translation>读取之后平滑关节点</translation>
    </message>
    <message>
        <source>Lower: less jitter at rest, more lag</source>
        <translation>越小：静止时抖动越小，滞后越大</translation>
    </message>
    <message>
        <source>Higher: less lag of fast joints, more jitter</source>
        <translation>越大：快速运动的滞后越小，抖动越大</translation>
    </message>
    <message>
        <source>How fast a change of speed is noticed</source>
        <translation>对速度变化的响应快慢</translation>
    </message>
    <message>
        <source>Min. cutoff</source>
        <translation>最小截止频率</translation>
    </message>
    <message>
        <source>Speed gain</source>
        <translation>速度增益</translation>
    </message>
    <message>
        <source>Speed cutoff</source>
        <translation>速度截止频率</translation>
    </message>
    <message>
        <source>Smoothing: {title}</source>
        <translation>平滑：{title}</translation>
    </message>
    <message>
        <source>{n:,} background cells weigh e⁰ = 1 each, together {share} of C</source>
        <translation>{n:,} 个背景格各有权重 e⁰ = 1，合计占 C 的 {share}</translation>
    </message>
    <message>
        <source>{n:,} background cells weigh {weight} each on average, together {share} of C</source>
        <translation>{n:,} 个背景格平均权重为 {weight}，合计占 C 的 {share}</translation>
    </message>
    <message>
        <source>less than 0.1 %</source>
        <translation>不到 0.1 %</translation>
    </message>
    <message>
        <source>{cells}. The blob is in the middle of the map, so their pull cancels out. </source>
        <translation>{cells}。光斑位于图的中心，因此它们的拉力相互抵消。</translation>
    </message>
    <message>
        <source>{cells}: too little to pull IPR by more than {pull:.2f} cells. </source>
        <translation>{cells}：太小，对 IPR 的拉偏不超过 {pull:.2f} 格。</translation>
    </message>
    <message>
        <source>{cells}, and pull IPR {pull:.1f} cells toward the centre. </source>
        <translation>{cells}，将 IPR 向中心拉偏 {pull:.1f} 格。</translation>
    </message>
    <message>
        <source>The formula takes 1 from the weight of every cell: {left:.2f} cells are left.</source>
        <translation>公式从每格的权重中减去 1：还剩 {left:.2f} 格偏差。</translation>
    </message>
    <message>
        <source>The formula takes 1 from the weight of every cell: {left:.2f} cells are left, {debiased:.2f} once the map is divided by its peak and what is below {floor:g} of it cut off.</source>
        <translation>公式从每格的权重中减去 1：还剩 {left:.2f} 格偏差；若再将图除以其峰值并切除低于 {floor:g} 的部分，则剩 {debiased:.2f} 格。</translation>
    </message>
    <message>
        <source>Glass to glass: {ms:.0f} ms</source>
        <translation>端到端（glass-to-glass）：{ms:.0f} ms</translation>
    </message>
    <message>
        <source>What the camera sees is shown in this window {painted:.0f} ms later. PoseScope takes {posescope:.0f} ms of that, camera and display {received:.0f} ms. </source>
        <translation>摄像头看到的内容在 {painted:.0f} ms 后显示于本窗口。其中 PoseScope 占 {posescope:.0f} ms，摄像头与显示器占 {received:.0f} ms。</translation>
    </message>
    <message>
        <source>Those two cannot be told apart from inside the computer: at {rate} the display takes about {display:.0f} ms, which leaves about {camera:.0f} ms for the camera, {waiting:.0f} of them waiting for its next picture.</source>
        <translation>后两者在电脑内部无法区分：刷新率为 {rate} 时，显示器约需 {display:.0f} ms，剩下约 {camera:.0f} ms 属于摄像头，其中 {waiting:.0f} ms 用于等待下一帧。</translation>
    </message>
    <message>
        <source>How much of these is whose cannot be told: waiting for the next picture and one refresh at {rate} may take as long by themselves.</source>
        <translation>后两者各占多少无法确定：等待下一帧，再加上 {rate} 下的一次刷新，本身就可能需要这么久。</translation>
    </message>
    <message>
        <source>How much of these is whose cannot be told: the screen does not tell its refresh rate.</source>
        <translation>后两者各占多少无法确定：屏幕没有报告刷新率。</translation>
    </message>
    <message>
        <source> Only {few:.0f} of the camera’s {all:.0f} pictures a second could be looked at.</source>
        <translation>摄像头每秒 {all:.0f} 帧中只有 {few:.0f} 帧能够得到处理。</translation>
    </message>
    <message>
        <source>90 % of the flips lie between {p5:.0f} and {p95:.0f} ms (σ {sd:.1f} ms); a picture every {interval:.1f} ms alone makes σ {alone:.1f} ms. The median lies between {low:.0f} and {high:.0f} ms (95 %).</source>
        <translation>90 % 的翻转介于 {p5:.0f} 与 {p95:.0f} ms 之间（σ {sd:.1f} ms）；仅每 {interval:.1f} ms 一帧这一点就会带来 σ {alone:.1f} ms。中位数介于 {low:.0f} 与 {high:.0f} ms 之间（95 %）。</translation>
    </message>
    <message>
        <source>{n} of {count} flips{unused}</source>
        <translation>{count} 次翻转中 {n} 次有效{unused}</translation>
    </message>
    <message>
        <source>, {n} far from the others and kept</source>
        <translation>，{n} 次明显偏离其他，仍予保留</translation>
    </message>
    <message>
        <source>Glass to glass</source>
        <translation>端到端（glass-to-glass）</translation>
    </message>
    <message>
        <source>… before the wait for its next picture</source>
        <translation>… 不含等待下一帧</translation>
    </message>
    <message>
        <source>… until the pose is known</source>
        <translation>… 直到得出姿态</translation>
    </message>
    <message>
        <source>{rate:.1f} pictures a second</source>
        <translation>每秒 {rate:.1f} 帧</translation>
    </message>
    <message>
        <source>, {rate:.1f} looked at</source>
        <translation>，处理 {rate:.1f} 帧</translation>
    </message>
    <message>
        <source>{share:.0f} % of the picture, contrast {contrast:.0f} of 255</source>
        <translation>画面的 {share:.0f} %，对比度 {contrast:.0f}/255</translation>
    </message>
    <message>
        <source>refresh rate not known</source>
        <translation>刷新率未知</translation>
    </message>
    <message>
        <source>{network} on {device}</source>
        <translation>{network}，运行于 {device}</translation>
    </message>
    <message>
        <source>Looking for the pattern in the camera’s picture …</source>
        <translation>正在摄像头画面中寻找图案 …</translation>
    </message>
    <message>
        <source>The camera was interrupted while its delay was measured.</source>
        <translation>测量延迟期间摄像头中断。</translation>
    </message>
    <message>
        <source>Hold camera and screen still.</source>
        <translation>请保持摄像头和屏幕不动。</translation>
    </message>
    <message>
        <source>The network is being loaded …</source>
        <translation>正在加载网络 …</translation>
    </message>
    <message>
        <source>No picture comes from the camera.</source>
        <translation>摄像头没有提供画面。</translation>
    </message>
    <message>
        <source>The camera sees the pattern, but not every flip: hold camera and screen still, and keep flickering lights out of the picture.</source>
        <translation>摄像头能看到图案，但没有看到每一次翻转：请保持摄像头和屏幕不动，并避免闪烁的灯光进入画面。</translation>
    </message>
    <message>
        <source> (Delays of more than {longest:g} s cannot be told.)</source>
        <translation>（超过 {longest:g} 秒的延迟无法测出。）</translation>
    </message>
    <message>
        <source>{n} of {count} flips could not be used{unused}: fewer than {fewest} would be left, so there is no figure. Hold camera and screen still, and keep the pattern in the picture.</source>
        <translation>{count} 次翻转中有 {n} 次无法使用{unused}：剩余不足 {fewest} 次，因此没有结果。请保持摄像头和屏幕不动，并使图案留在画面中。</translation>
    </message>
    <message>
        <source>The camera does not see the pattern any more: point it at this window, and hold it still.</source>
        <translation>摄像头看不到图案了：请将它对准本窗口并保持不动。</translation>
    </message>
    <message>
        <source>Only {n} of {count} flips could be used{unused}: there is no figure for fewer than {fewest}. Hold camera and screen still, and keep the pattern in the picture.</source>
        <translation>{count} 次翻转中只有 {n} 次可用{unused}：不足 {fewest} 次则没有结果。请保持摄像头和屏幕不动，并使图案留在画面中。</translation>
    </message>
    <message>
        <source>The delays differ too much for a figure: half of them scatter over {ms:.0f} ms. Keep flickering lights, other screens and moving things out of the picture, and hold the camera still.</source>
        <translation>各次延迟差异过大，无法得出结果：半数分散在 {ms:.0f} ms 的范围内。请避免闪烁的灯光、其他屏幕和移动的物体进入画面，并保持摄像头不动。</translation>
    </message>
    <message>
        <source>The person moved, by {percent:.0f} % of the body a second: this is no measurement of holding still.</source>
        <translation>人在运动，每秒移动身体尺寸的 {percent:.0f} %：这不能算作静止测量。</translation>
    </message>
    <message>
        <source>Jitter of {name}: {jitter} px. It gives no heatmaps, so that its bias is not known.</source>
        <translation>{name} 的抖动：{jitter} px。它不输出热力图，因此偏差未知。</translation>
    </message>
    <message>
        <source> and </source>
        <translation> 与 </translation>
    </message>
    <message>
        <source>Lowest jitter of the heatmap decoders: {names}, {jitter} px. Largest bias: {worst}, {bias} px.</source>
        <translation>热力图解码器中抖动最小：{names}，{jitter} px。
偏差最大：{worst}，{bias} px。</translation>
    </message>
    <message>
        <source>it</source>
        <translation>它</translation>
    </message>
    <message>
        <source>Lowest jitter of the heatmap decoders: {names}, {jitter} px, but {who} has the largest bias too: {bias} px.</source>
        <translation>热力图解码器中抖动最小：{names}，{jitter} px，
但{who}的偏差也最大：{bias} px。</translation>
    </message>
    <message>
        <source>{n} in {seconds:.1f} s ({fps:.1f} a second)</source>
        <translation>{seconds:.1f} 秒内 {n} 帧（每秒 {fps:.1f} 帧）</translation>
    </message>
    <message>
        <source>{n} of {count}</source>
        <translation>{n}/{count}</translation>
    </message>
    <message>
        <source>Decoder</source>
        <translation>解码器</translation>
    </message>
    <message>
        <source>Jitter px</source>
        <translation>抖动 px</translation>
    </message>
    <message>
        <source>Jitter % of body</source>
        <translation>抖动 占身体 %</translation>
    </message>
    <message>
        <source>Bias px</source>
        <translation>偏差 px</translation>
    </message>
    <message>
        <source>Bias % of body</source>
        <translation>偏差 占身体 %</translation>
    </message>
    <message>
        <source>Smoothed jitter px</source>
        <translation>平滑后抖动 px</translation>
    </message>
    <message>
        <source>Joints left out</source>
        <translation>未计入的关节</translation>
    </message>
    <message>
        <source>hold still {n} s</source>
        <translation>保持静止 {n} 秒</translation>
    </message>
    <message>
        <source>The camera sees the pattern in {share:.0f} % of its picture. Hold both still.</source>
        <translation>摄像头在画面的 {share:.0f} % 中看到图案。请保持两者不动。</translation>
    </message>
    <message>
        <source>The camera sees too little of the pattern: move it closer to this window.</source>
        <translation>摄像头看到的图案太少：请移近本窗口。</translation>
    </message>
    <message>
        <source>The camera sees the pattern, but faintly (contrast {contrast:.0f} of 255): move it closer, brighten the screen or darken the room.</source>
        <translation>摄像头能看到图案，但很微弱（对比度 {contrast:.0f}/255）：请移近、调亮屏幕或调暗房间。</translation>
    </message>
    <message>
        <source>The camera’s picture is black: uncover the lens, or brighten the screen.</source>
        <translation>摄像头画面全黑：请打开镜头盖，或调亮屏幕。</translation>
    </message>
    <message>
        <source>The picture changes, but not with this window: point the camera at it, and hold both still.</source>
        <translation>画面在变化，但与本窗口无关：请将摄像头对准本窗口，并保持两者不动。</translation>
    </message>
    <message>
        <source>The camera does not see this window: point it at this screen.</source>
        <translation>摄像头看不到本窗口：请将它对准此屏幕。</translation>
    </message>
    <message>
        <source>The camera’s picture is overexposed: darken the screen, or move the camera away from the light.</source>
        <translation>摄像头画面过曝：请调暗屏幕，或使摄像头远离光源。</translation>
    </message>
</context>
</TS>
